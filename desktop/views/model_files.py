"""The files of one model: where they are, whether they are whole, whether there is something newer.

Also the person's own note, which is kept beside what is known of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.values import Problem
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label
from desktop.widgets.notice import Notice, Severity
from desktop.widgets.text_area import TextArea

if TYPE_CHECKING:
    from desktop.controllers.model_care import Check, ModelFacts
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.library.download.verify import Verification
    from inference.library.updates import UpdateCheck

_SETTLE_MS: Final = 600
_MOST_NAMED: Final = 3


class ModelFiles(QWidget):
    """Path, hash, check and note.

    Args:
        theme: Fonts.

    Signals:
        verify_asked, cancel_asked, update_asked: No argument.
        note_changed: The new text.
    """

    verify_asked = Signal()
    cancel_asked = Signal()
    update_asked = Signal()
    note_changed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model_id = ""
        self._kept = ""
        self._typed = False
        self.setObjectName("model_files")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self._note = TextArea(theme, name="model_own_note", title=self.tr("Your note"))
        self._note.setFixedHeight(78)
        self._note.textChanged.connect(self._on_typed)
        self._path = label("", theme, "code_small", "text2", wrap=True, name="model_path")
        self._hash = label("", theme, "code_small", "text3", wrap=True, name="model_hash")
        self._result = Notice(theme, name="model_check", severity="ok")
        self._result.hide()
        self._bar = QProgressBar()
        self._bar.setObjectName("verify_progress")
        self._bar.setAccessibleName(self.tr("Checking the files"))
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._share = label("", theme, "small", "text3", name="verify_share")
        self._verify = Button(
            self.tr("Check the files"), theme, name="model_verify", icon_name="circle-check"
        )
        self._verify.clicked.connect(self.verify_asked)
        self._cancel = Button(self.tr("Stop checking"), theme, name="verify_cancel", icon_name="x")
        self._cancel.clicked.connect(self.cancel_asked)
        self._update = Button(
            self.tr("Look for a newer version"), theme, name="model_update", icon_name="refresh-cw"
        )
        self._update.clicked.connect(self._on_update)
        self._build()

    def show_model(self, model: InstalledModel, check: Check | None) -> None:
        """Show where it is and what is noted."""
        if model.info.id != self._model_id:
            self.flush()
            self._model_id = model.info.id
            self._hash.hide()
            self._update.hide()
            self._result.hide()
            self._set_updating(is_busy=False)
        self._path.setText(model.info.path.replace("/", "/\u200b"))  # may wrap at folders
        self._kept = model.note.text if model.note is not None else ""
        if not self._typed and self._note.toPlainText() != self._kept:
            with QSignalBlocker(self._note):
                self._note.setPlainText(self._kept)
        self.show_check(check)

    def show_facts(self, facts: ModelFacts) -> None:
        """Show what is known of the files by and by."""
        details = facts.details
        self._say_hash(details.sha256)
        self._update.setVisible(bool(details.origin.repo))

    def show_check(self, check: Check | None) -> None:
        """Show where hashing stands, or what it found."""
        here = check is not None and check.model_id == self._model_id
        busy = check is not None and check.progress is not None
        running = here and busy
        reason = self.tr("The files of another model are being checked.")
        self._verify.set_reason(reason if busy and not here else "")
        self._verify.setVisible(not running)
        for part in (self._cancel, self._bar, self._share):
            part.setVisible(running)
        if check is None or not here:
            return
        if check.progress is not None:
            self._bar.setValue(round(check.progress * 1000))
            self._share.setText(formatting.percent(round(check.progress, 2)))
            self._result.hide()
        elif check.result is not None:
            self._say_result(check.result)

    def show_update(self, model_id: str, found: UpdateCheck | Problem) -> None:
        """Show what the hub has."""
        if model_id != self._model_id:
            return
        self._set_updating(is_busy=False)
        if isinstance(found, Problem):
            text = " ".join(part for part in (found.message, found.hint) if part)
            self._result.say(self.tr("The hub could not be asked."), text, "warn")
        else:
            self._result.say(found.words, "", "info" if found.is_newer else "ok")
        self._result.show()

    def flush(self) -> None:
        """Keep what was typed and not yet kept."""
        self._settle.stop()
        if self._typed:
            self._typed = False
            if self._note.toPlainText() != self._kept:
                self.note_changed.emit(self._note.toPlainText())

    def _on_typed(self) -> None:
        self._typed = True
        self._settle.start()

    def _say_hash(self, sha256: str) -> None:
        self._hash.setText(self.tr("SHA-256 {0}").format(sha256))
        self._hash.setVisible(bool(sha256))

    def _say_result(self, result: Verification) -> None:
        wrong = [file for file in result.files if file.verdict not in {"intact", "first seen"}]
        if not wrong:
            self._result.say(*self._good_words(result))
        else:
            reasons = {
                "damaged": self.tr("{0} is not what was published"),
                "changed": self.tr("{0} has changed since the first check"),
                "missing": self.tr("{0} is missing"),
                "unreadable": self.tr("{0} cannot be read"),
            }
            named = [reasons[file.verdict].format(_name(file.path)) for file in wrong[:_MOST_NAMED]]
            words = self.tr("{0}. Download it again, or remove it.").format("; ".join(named))
            self._result.say(self.tr("Something is wrong with these files."), words, "bad")
        self._result.show()
        if len(result.files) == 1 and result.files[0].sha256:
            self._say_hash(result.files[0].sha256)

    def _good_words(self, result: Verification) -> tuple[str, str, Severity]:
        if result.published:
            title = self.tr("All files are as they were published.")
            return title, self.tr("Their hashes were computed and compared."), "ok"
        if any(file.verdict == "first seen" for file in result.files):
            words = self.tr(
                "Nobody published a hash of these files that is known here. What was computed now "
                "is remembered, so that a later check can tell whether they changed."
            )
            return self.tr("The files can be read to their end."), words, "info"
        return self.tr("The files have not changed since they were first checked."), "", "ok"

    def _on_update(self) -> None:
        self._set_updating(is_busy=True)
        self.update_asked.emit()

    def _set_updating(self, *, is_busy: bool) -> None:
        self._update.set_reason(self.tr("The hub is being asked.") if is_busy else "")

    def _build(self) -> None:
        theme = self._theme
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._verify)
        buttons.addWidget(self._cancel)
        buttons.addWidget(self._bar, 1)
        buttons.addWidget(self._share)
        buttons.addWidget(self._update)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(self.tr("Files"), theme, "heading"))
        column.addWidget(self._path)
        column.addWidget(self._hash)
        column.addLayout(buttons)
        column.addWidget(self._result)
        column.addSpacing(16)
        column.addWidget(label(self.tr("Your note"), theme, "heading"))
        column.addWidget(self._note)
        words = self.tr("Only for you: what it is good at, what to look out for.")
        column.addWidget(label(words, theme, "small", "text3", wrap=True))


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
