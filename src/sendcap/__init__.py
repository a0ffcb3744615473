"""sendcap: simulate large email deliveries and predict what the dashboard will show.

The public names are listed in ``__init__.pyi``, each with the module that defines it. They are
imported when they are first used: `sendcap --help` must not wait for pandas.

>>> import sendcap
>>> {"load", "simulate", "open_run"} <= set(dir(sendcap))
True
"""


def __getattr__(name: str) -> object:
    _attach()
    return globals()["__all__"] if name == "__all__" else globals()["__getattr__"](name)


def __dir__() -> list[str]:
    _attach()
    return list(globals()["__all__"])


def _attach() -> None:
    """Replace the functions above by those of lazy_loader."""
    # Until this package is imported, the command cannot handle an interrupt.
    import lazy_loader

    names = ("__getattr__", "__dir__", "__all__")
    globals().update(zip(names, lazy_loader.attach_stub(__name__, __file__), strict=True))
