"""sendcap: simulate large email deliveries and predict what the dashboard will show.

The public names are listed in ``__init__.pyi``, each with the module that defines it. They are
imported when they are first used: `sendcap --help` must not wait for pandas.

>>> import sendcap
>>> {"load", "simulate", "open_run"} <= set(dir(sendcap))
True
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
