"""Settings of the network: how models are fetched, from where, with which token; what was asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from desktop.views.settings_rows import SettingsCard, SettingsRow
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label
from desktop.widgets.inputs import Combo, Switch

if TYPE_CHECKING:
    from desktop.store.settings import DownloadSettings
    from desktop.values import Problem
    from desktop.widgets.theme import Theme
    from inference.library.requests_made import RequestMade

_LIMITS_MB: Final = (0, 1, 2, 5, 10, 25, 50, 100)
_FIELD_WIDTH: Final = 280
_SHOWN: Final = 50


class _Field(QLineEdit):
    """A line that likes to be wide and gives way where there is little room."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size it likes."""
        return QSize(_FIELD_WIDTH, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(_FIELD_WIDTH // 3, super().minimumSizeHint().height())


class NetworkSettings(QWidget):
    """Four cards; every change applies at once.

    Signals:
        change_asked: A whole ``DownloadSettings``.
        token_asked: A token for the keyring; empty takes it away.
    """

    change_asked = Signal(object)
    token_asked = Signal(str)

    def __init__(self, theme: Theme, settings: DownloadSettings) -> None:
        super().__init__()
        self._theme = theme
        self._settings = settings
        self.setObjectName("network_settings")
        self._parallel = self._combo("parallel", self.tr("Files at once"))
        for number in range(1, 9):
            self._parallel.addItem(formatting.count(number), number)
        self._limit = self._combo("limit", self.tr("Speed limit"))
        for amount in _LIMITS_MB:
            words = self.tr("{0} MB/s").format(amount) if amount else self.tr("None")
            self._limit.addItem(words, amount * 1_000_000)
        self._go_on = Switch(
            self.tr("Go on by itself after a start"), theme, name="setting_downloads_go_on"
        )
        self._go_on.clicked.connect(lambda on: self._ask(go_on=on))
        self._endpoint = self._field("endpoint", self.tr("Address of the hub"))
        self._endpoint.setPlaceholderText("https://huggingface.co")
        self._proxy = self._field("proxy", self.tr("Proxy"))
        self._proxy.setPlaceholderText(self.tr("As the system says"))
        self._token = self._field("token", self.tr("Access token"))
        self._token.setEchoMode(QLineEdit.EchoMode.Password)
        self._token.editingFinished.disconnect()
        self._token.returnPressed.connect(self._on_token)
        self._save = Button(self.tr("Keep it"), theme, name="setting_token_save", small=True)
        self._save.clicked.connect(self._on_token)
        self._remove = Button(
            self.tr("Take it away"), theme, kind="danger", name="setting_token_remove", small=True
        )
        self._remove.clicked.connect(lambda: self.token_asked.emit(""))
        self._made = label("", theme, "code_small", "text2", wrap=True, name="network_requests")
        self._made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._build()
        self.set_settings(settings)
        self.set_token("none")
        self.set_requests((), 0)

    def _combo(self, name: str, title: str) -> Combo:
        combo = Combo(title, self._theme, name=f"setting_downloads_{name}")
        combo.activated.connect(lambda _index: self._on_combo(name, combo))
        return combo

    def _field(self, name: str, title: str) -> QLineEdit:
        field = _Field()
        field.setObjectName(f"setting_downloads_{name}")
        field.setAccessibleName(title)
        field.setFont(self._theme.font("body"))
        field.editingFinished.connect(lambda: self._on_field(name, field))
        return field

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(24)
        for card in (self._downloads(), self._source(), self._access(), self._requests()):
            column.addWidget(card)

    def _downloads(self) -> SettingsCard:
        rows = (
            self._row(
                "parallel",
                self.tr("Files at once"),
                self.tr("More can be quicker from far away, and slower for everybody else here."),
                self._parallel,
            ),
            self._row(
                "limit",
                self.tr("Speed limit"),
                self.tr("All downloads together take no more of your line than this."),
                self._limit,
            ),
            self._row(
                "go_on",
                self.tr("Go on by itself after a start"),
                self.tr(
                    "Off: downloads that were under way wait for a click. On: they go on at once."
                ),
                self._go_on,
            ),
        )
        return SettingsCard(self.tr("Downloads"), rows, self._theme)

    def _source(self) -> SettingsCard:
        rows = (
            self._row(
                "endpoint",
                self.tr("Address of the hub"),
                self.tr("A mirror of Hugging Face's hub. Empty: HF_ENDPOINT, or the public hub."),
                self._endpoint,
            ),
            self._row(
                "proxy",
                self.tr("Proxy"),
                self.tr("An HTTP proxy, for example http://proxy:3128. It is kept as you type it."),
                self._proxy,
            ),
        )
        return SettingsCard(self.tr("Where models come from"), rows, self._theme)

    def _access(self) -> SettingsCard:
        control = QWidget()
        control.setObjectName("setting_token")
        row = QHBoxLayout(control)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(8)
        row.addWidget(self._token, 1)
        row.addWidget(self._save)
        row.addWidget(self._remove)
        self._token_row = self._row("token", self.tr("Access token"), "", None)
        rows = (self._token_row, control)
        return SettingsCard(self.tr("Models behind a sign-in"), rows, self._theme)

    def _requests(self) -> SettingsCard:
        box = QWidget()
        inside = QVBoxLayout(box)
        inside.setContentsMargins(16, 10, 16, 12)
        inside.setSpacing(6)
        self._made_words = label("", self._theme, "body_medium", name="network_requests_count")
        inside.addWidget(self._made_words)
        words = self.tr(
            "Only what you click asks the network. The list ends with the app and is kept nowhere."
        )
        inside.addWidget(label(words, self._theme, "small", "text3", wrap=True))
        inside.addWidget(self._made)
        return SettingsCard(self.tr("What was asked of the network"), (box,), self._theme)

    def _row(self, name: str, title: str, words: str, control: QWidget | None) -> SettingsRow:
        return SettingsRow(title, words, control, self._theme, name=f"setting_downloads_{name}_row")

    # -- what is shown ------------------------------------------------------------------------

    def set_settings(self, settings: DownloadSettings) -> None:
        """Show these settings; nothing is emitted."""
        self._settings = settings
        self._parallel.setCurrentIndex(settings.parallel - 1)
        at = self._limit.findData(settings.limit_bytes_per_s)
        if at < 0:
            self._limit.addItem(
                f"{formatting.size(settings.limit_bytes_per_s)}/s", settings.limit_bytes_per_s
            )
            at = self._limit.count() - 1
        self._limit.setCurrentIndex(at)
        self._go_on.setChecked(settings.go_on)
        for field, text in ((self._endpoint, settings.endpoint), (self._proxy, settings.proxy)):
            if field.text() != text:
                field.setText(text)

    def set_token(self, place: str) -> None:
        """Say where the access token is."""
        texts = {
            "none": self.tr(
                "Some authors want their terms accepted first; a token shows that you did. It goes "
                "into the system's keyring and to the hub's address only."
            ),
            "keyring": self.tr("A token is in the system's keyring. It goes to the hub only."),
            "environment": self.tr("HF_TOKEN is set, and comes before a token kept here."),
            "no_keyring": self.tr(
                "This system has no keyring that can be used (on Linux: secret-tool). Set HF_TOKEN "
                "before the app starts."
            ),
        }
        self._token_row.say(texts[place])
        self._token.setPlaceholderText(self.tr("kept") if place == "keyring" else "hf_...")
        self._remove.setVisible(place == "keyring")
        reason = texts["no_keyring"] if place == "no_keyring" else ""
        self._save.set_reason(reason)
        self._token.setEnabled(not reason)
        self._token.clear()

    def set_token_problem(self, problem: Problem) -> None:
        """Say why the token was not kept; it stays in the field."""
        self._token_row.say(f"{problem.message} {problem.hint}")

    def set_requests(self, made: tuple[RequestMade, ...], count: int) -> None:
        """Show the latest requests, the newest first."""
        words = self.tr("1 request so far") if count == 1 else self.tr("{0} requests so far")
        self._made_words.setText(words.format(formatting.count(count)))
        lines = [
            f"{time.strftime('%H:%M:%S', time.localtime(one.at))}  {one.method} "
            f"{one.host}{one.path}"
            for one in reversed(made[-_SHOWN:])
        ]
        self._made.setText("\n".join(lines))
        self._made.setAccessibleName(self.tr("Requests, the newest first"))
        self._made.setVisible(bool(lines))

    def focus_token(self) -> None:
        """Put the keyboard where a token is typed."""
        self._token.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- what the person does -----------------------------------------------------------------

    def _ask(self, **changes: object) -> None:
        self._settings = msgspec.structs.replace(self._settings, **changes)
        self.change_asked.emit(self._settings)

    def _on_combo(self, name: str, combo: Combo) -> None:
        names = {"parallel": "parallel", "limit": "limit_bytes_per_s"}
        self._ask(**{names[name]: combo.currentData()})

    def _on_field(self, name: str, field: QLineEdit) -> None:
        text = field.text().strip().rstrip("/")
        if text and "://" not in text:
            text = f"{'https' if name == 'endpoint' else 'http'}://{text}"
        if text != getattr(self._settings, name):
            self._ask(**{name: text})
        field.setText(text)

    def _on_token(self) -> None:
        if self._token.text().strip():
            self.token_asked.emit(self._token.text().strip())
