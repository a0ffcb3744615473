"""``python -m sendcap`` is the command ``sendcap``."""

from sendcap.cli import main

if __name__ == "__main__":
    main()
