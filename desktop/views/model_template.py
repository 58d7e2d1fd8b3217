"""The template doctor on a model's page: what it found, another template, and how that reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets.controls import Ground, label, panel
from desktop.widgets.inputs import Combo
from desktop.widgets.notice import Notice, Severity
from desktop.widgets.text_area import TextArea
from inference.library.model_defaults import OWN

if TYPE_CHECKING:
    from desktop.controllers.model_care import ModelFacts, Preview
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.library.model_defaults import TemplateChoice
    from inference.library.template_doctor import Diagnosis

_SETTLE_MS: Final = 400
_SEVERITY: Final[dict[str, Severity]] = {
    "fine": "ok", "usable": "info", "missing": "warn", "broken": "bad",
}  # fmt: skip
TITLES: Final = (
    ("chatml", "ChatML"), ("llama3", "Llama 3"), ("gemma", "Gemma"), ("granite", "Granite"),
    ("phi3", "Phi-3"), ("mistral", "Mistral"), ("zephyr", "Zephyr"),
)  # fmt: skip
"""The templates of the app that bear a family's name, as ``template_doctor`` has them."""


class ModelTemplate(QWidget):
    """Chooses a template; what is chosen is kept at once and used from the next load on.

    Args:
        theme: Fonts.

    Signals:
        template_chosen: A ``TemplateChoice`` to keep.
        preview_asked: A ``TemplateChoice`` to try.
    """

    template_chosen = Signal(object)
    preview_asked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model_id = ""
        self._choice: TemplateChoice | None = None
        self._facts: ModelFacts | None = None
        self._is_base = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self.setObjectName("model_template")
        self.setAccessibleName(self.tr("Chat template"))
        self._verdict = Notice(
            theme,
            name="template_verdict",
            severity="info",
            actions=(("mend", self.tr("Use another template")),),
        )
        self._verdict.acted.connect(self._on_mend)
        self._combo = Combo(self.tr("Template in use"), theme, name="template_choice")
        self._combo.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self._combo.activated.connect(self._on_chosen)
        self._own = TextArea(
            theme, "code_small", name="template_own", title=self.tr("Your own template, in Jinja")
        )
        self._own.setFixedHeight(150)
        self._own.textChanged.connect(self._settle.start)
        self._own_help = label(
            self.tr(
                "Jinja, as in chat_template.jinja: messages, add_generation_prompt, bos_token and "
                "eos_token are there. The conversation below follows as you type."
            ),
            theme,
            "small",
            "text3",
            wrap=True,
            name="template_own_help",
        )
        self._sample = label("", theme, "code_small", "text2", wrap=True, name="template_sample")
        self._sample_box = self._sunken("sunken")
        self._build()

    def show_model(self, model: InstalledModel) -> None:
        """Show which template is kept for it."""
        self._is_base = model.info.kind == "base"
        choice = model.note.defaults.template if model.note is not None else None
        if model.info.id != self._model_id:
            self.flush()
            self._model_id, self._facts = model.info.id, None
            self.setVisible(not model.info.problem)
            self._verdict.hide()
            self._sample_box.hide()
            self._choice = None
        if choice == self._choice or choice is None:
            return
        self._choice = choice
        if not self._own.hasFocus() and self._own.toPlainText() != choice.own:
            with QSignalBlocker(self._own):
                self._own.setPlainText(choice.own)
        self._select()
        if self._facts is not None:
            self.preview_asked.emit(choice)

    def show_facts(self, facts: ModelFacts) -> None:
        """Show what the doctor says of the template in the files."""
        first = self._facts is None
        self._facts = facts
        self._fill()
        choice = self._choice
        if choice is not None and choice.name:
            if first:
                self.preview_asked.emit(choice)
        elif facts.template is not None:
            self._show_diagnosis(facts.template)

    def show_preview(self, preview: Preview) -> None:
        """Show what the doctor says of a template that was tried."""
        if preview.model_id == self._model_id and preview.choice == self._choice:
            self._show_diagnosis(preview.diagnosis)

    def flush(self) -> None:
        """Keep what was typed and not yet kept."""
        self._settle.stop()
        choice = self._choice
        if choice is None or choice.name != OWN or self._own.toPlainText() == choice.own:
            return
        self._keep(msgspec.structs.replace(choice, own=self._own.toPlainText()))

    def _show_diagnosis(self, diagnosis: Diagnosis) -> None:
        sentence = diagnosis.sentence
        notes = [finding.text.removeprefix(sentence).strip() for finding in diagnosis.findings]
        severity = _SEVERITY[diagnosis.verdict]
        if diagnosis.verdict == "missing" and self._is_base:
            severity = "info"  # as it should be
        self._verdict.say(sentence, "\n".join(filter(None, notes)), severity)
        self._verdict.lead_with("")  # the page has its main button at the foot
        mend = diagnosis.mend
        offered = mend is not None and (self._choice is None or self._choice.name != mend.name)
        if mend is not None:
            self._verdict.name_action("mend", self.tr("Use {0}").format(mend.title))
        self._verdict.show_action("mend", shown=offered)
        self._verdict.show()
        sample = diagnosis.sample.replace("\n\n", "\n \n")
        self._sample.setText(sample.rstrip("\n"))
        self._sample.setAccessibleDescription(
            self.tr("A sample conversation as the model reads it")
        )
        self._sample_box.setVisible(bool(sample))

    def _fill(self) -> None:
        facts = self._facts
        has_own = facts is not None and bool(facts.own_source.strip())
        fitting = facts.mend.name if facts is not None and facts.mend is not None else ""
        self._combo.clear()
        from_files = self.tr("The one in its files")
        self._combo.addItem(from_files if has_own else self.tr("None: it continues text"), "")
        for name, title in (*TITLES, ("plain", self.tr("Plain dialogue"))):
            fits = self.tr("{0}, suits this model").format(title)
            self._combo.addItem(fits if name == fitting else title, name)
        self._combo.addItem(self.tr("My own"), OWN)
        self._select()

    def _select(self) -> None:
        name = self._choice.name if self._choice is not None else ""
        if self._combo.count():
            self._combo.setCurrentIndex(max(0, self._combo.findData(name)))
        self._own.setVisible(name == OWN)
        self._own_help.setVisible(name == OWN)

    def _on_chosen(self, _index: int) -> None:
        self._choose(str(self._combo.currentData()))

    def _on_mend(self, _action: str) -> None:
        facts = self._facts
        if facts is not None and facts.mend is not None:
            self._choose(facts.mend.name)

    def _choose(self, name: str) -> None:
        if self._choice is None:
            return
        self.flush()
        choice = msgspec.structs.replace(self._choice, name=name)
        if name == OWN and not choice.own.strip() and self._facts is not None:
            mend = self._facts.mend
            start = self._facts.own_source or (mend.source if mend is not None else "")
            choice = msgspec.structs.replace(choice, own=start)
            with QSignalBlocker(self._own):
                self._own.setPlainText(start)
        self._keep(choice)

    def _keep(self, choice: TemplateChoice) -> None:
        self._choice = choice
        self._select()
        self.template_chosen.emit(choice)
        self.preview_asked.emit(choice)

    def _sunken(self, ground: Ground) -> QFrame:
        box = panel(ground, "template_sample_box")
        box.setProperty("part", "card")
        column = QVBoxLayout(box)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(6)
        title = self.tr("A sample conversation as the model reads it")
        column.addWidget(label(title, self._theme, "small", "text3"))
        column.addWidget(self._sample)
        return box

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(label(self.tr("Chat template"), self._theme, "heading"), 1)
        head.addWidget(self._combo)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(head)
        for widget in (self._verdict, self._own, self._own_help, self._sample_box):
            column.addWidget(widget)
