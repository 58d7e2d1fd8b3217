"""Icons, fonts, themes and the starter models; read them through ``importlib.resources``."""
