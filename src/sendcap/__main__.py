"""The command ``sendcap``, also as ``python -m sendcap``."""

import signal

# Python would raise KeyboardInterrupt in an import. There is nothing to clean up until `main`
# listens, so an interrupt may end the process at once.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from sendcap.cli import main

if __name__ == "__main__":
    main()
