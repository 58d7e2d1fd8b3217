"""One model to be found: base or instruct, its versions, what they take, facts, and the way on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.discover_values import FoundPage, memory_parts
from desktop.views.found_foot import FoundFoot
from desktop.widgets import formatting
from desktop.widgets.controls import Badge, Button, IconButton, label, rule, scrolled
from desktop.widgets.found_delegate import kind_words
from desktop.widgets.inputs import Combo
from desktop.widgets.kind_card import KindCard
from desktop.widgets.memory_bar import FactColumns, MemoryBar
from desktop.widgets.notice import Notice
from desktop.widgets.version_table import VersionTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.discover_values import FoundKind, FoundVersion
    from desktop.download_values import DownloadRow
    from desktop.widgets.theme import Theme

_KINDS: tuple[tuple[FoundKind, str], ...] = (
    ("instruct", "message-square"),
    ("thinking", "brain"),
    ("base", "text-cursor-input"),
)


class _Body(QWidget):
    """What scrolls: as high as its parts are at its width, not as they would be in a narrow one."""

    def minimumSizeHint(self) -> QSize:
        """Return nothing: the layout's height for its width decides."""
        return QSize(0, 0)


class FoundDetail(QFrame):
    """Shows one page and asks for what a person wants done with it.

    Signals:
        kind_asked: Which model of the pair.
        context_asked: Tokens.
        header_asked: Id of the version whose header shall be read.
        card_asked, back_asked, again_asked: No argument.
        star_asked: Whether the model shall come first in the list.
        neighbour_asked: Key and version id of a model without a gate.
        browser_asked: ``org/name`` whose page shall be opened in a browser.
        repository_asked: ``org/name`` whose every version shall be shown.
    """

    kind_asked = Signal(str)
    context_asked = Signal(int)
    header_asked = Signal(str)
    card_asked = Signal()
    back_asked = Signal()
    star_asked = Signal(bool)
    again_asked = Signal()
    neighbour_asked = Signal(str, str)
    browser_asked = Signal(str)
    repository_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: FoundPage | None = None
        self._shown = ("", "")  # key and kind: what a chosen version belongs to
        self.setObjectName("found_detail")
        self.setAccessibleName(self.tr("The chosen model"))
        self.setProperty("ground", "page")
        self._make_head(theme)
        self._make_notices(theme)
        self._make_cards(theme)
        self.foot = FoundFoot(theme)
        self.table = VersionTable(theme)
        self.table.chosen.connect(self._show_version)
        self.table.download_asked.connect(self._on_row_download)
        self.table.left_by_enter.connect(self.foot.focus_first)
        self._make_memory(theme)
        self._facts = FactColumns(theme, name="found_facts")
        self._build()

    def show_page(self, page: FoundPage) -> None:
        """Show a model; the version that was chosen on it stays chosen."""
        same = self._shown == (page.key, page.kind)
        current = self.table.current() if same else ""
        self._shown = (page.key, page.kind)
        self._page = page
        if page.version(current) is None:
            current = page.recommended
        self._name.setText(page.name)
        self._by.setText(self._by_words(page))
        self._about.setText(page.about)
        self._about.setVisible(bool(page.about))
        self._card.setVisible(bool(page.repo))
        self._show_cards(page)
        self._show_state(page)
        self.table.setVisible(bool(page.versions))
        self.table.set_versions(page.versions, current)
        self._show_contexts(page)
        self._facts.set_facts(self._fact_words(page))
        self._show_version(current)

    def set_narrow(self, *, narrow: bool) -> None:
        """Offer the way back to the list."""
        self._back.setVisible(narrow)

    def show_star(self, *, on: bool, shown: bool) -> None:
        """Show whether the model has a star; those that are not always there get none."""
        self._star.setChecked(on)
        self._star.setVisible(shown)

    def set_downloads(
        self, find: Callable[[FoundVersion], DownloadRow | None], speed: Callable[[], float]
    ) -> None:
        """Offer downloads; see ``FoundFoot.set_downloads``."""

        def done(version: FoundVersion) -> float | None:
            row = find(version)
            return None if row is None or row.state == "finished" else row.fraction

        self.foot.set_downloads(find, speed)
        self.table.items.set_progress(done)
        self.table.set_can_download(can_download=True)

    def refresh_downloads(self) -> None:
        """Show how far downloads are now."""
        self.foot.refresh()
        self.table.items.refresh()

    def focus_card(self) -> None:
        """Put the keyboard on the button that opens the model card."""
        self._card.setFocus(Qt.FocusReason.OtherFocusReason)

    def choose_version(self, version_id: str) -> None:
        """Choose a row of the table."""
        row = self.table.items.row_of(version_id)
        if row >= 0:
            self.table.setCurrentIndex(self.table.items.index(row))

    # --- parts -----------------------------------------------------------------------------

    def _make_head(self, theme: Theme) -> None:
        self._back = IconButton("arrow-left", self.tr("Back to the list"), theme, name="found_back")
        self._back.clicked.connect(self.back_asked)
        self._back.hide()
        self._name = label("", theme, "title", wrap=True, name="found_name")
        self._by = label("", theme, "body", "text2", wrap=True, name="found_by")
        self._about = label("", theme, "body", wrap=True, name="found_about")
        self._star = IconButton(
            "star", self.tr("Favourite"), theme, name="found_favourite", checkable=True
        )
        self._star.clicked.connect(self.star_asked)
        self._card = Button(self.tr("Model card"), theme, name="found_card", icon_name="file-text")
        self._card.clicked.connect(self.card_asked)

    def _make_notices(self, theme: Theme) -> None:
        self._trouble = Notice(
            theme, name="found_trouble", severity="bad", actions=(("again", self.tr("Try again")),)
        )
        self._trouble.acted.connect(lambda _action: self.again_asked.emit())
        self._gate = Notice(
            theme,
            name="found_gate",
            severity="info",
            actions=(
                ("neighbour", self.tr("Show the one without sign-in")),
                ("browser", self.tr("Open its page in the browser")),
            ),
        )
        self._gate.acted.connect(self._on_gate)
        self._reason = Notice(theme, name="found_reason", severity="warn")
        self._busy = label(
            self.tr("Asking the hub for its versions."), theme, "body", "text3", name="found_busy"
        )

    def _make_cards(self, theme: Theme) -> None:
        self._cards: dict[FoundKind, KindCard] = {}
        self._card_group = QButtonGroup(self)
        self._card_box = QWidget()
        row = QHBoxLayout(self._card_box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for kind, icon_name in _KINDS:
            card = KindCard(icon_name, kind_words(kind), theme, name=f"found_kind_{kind}")
            card.clicked.connect(lambda _checked=False, k=kind: self.kind_asked.emit(k))
            self._card_group.addButton(card)
            self._cards[kind] = card
            row.addWidget(card)

    def _make_memory(self, theme: Theme) -> None:
        self._memory = label("", theme, "body_medium", name="found_memory")
        self._context = Combo(self.tr("Context in tokens"), theme, name="found_context")
        self._context.activated.connect(self._on_context)
        self._origin = Badge("", theme)
        self._origin.setObjectName("found_origin")
        self._header = Button(
            self.tr("Read the header"), theme, name="found_header", icon_name="ruler", small=True
        )
        self._header.setToolTip(
            self.tr("Reads some kilobytes of the file from the hub, so that the sum is exact.")
        )
        self._header.clicked.connect(lambda: self.header_asked.emit(self.table.current()))
        self._bar = MemoryBar(theme)
        self._note = label("", theme, "small", "text3", wrap=True, name="found_note")
        self._every = Button(
            self.tr("All its versions on the hub"),
            theme,
            kind="link",
            name="found_every",
            small=True,
        )
        self._every.clicked.connect(self._on_every)
        self._memory_box = QWidget()
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._memory)
        self._context_words = label(self.tr("with a context of"), theme, "body", "text2")
        row.addWidget(self._context_words)
        row.addWidget(self._context)
        row.addStretch(1)
        row.addWidget(self._origin)
        row.addWidget(self._header)
        column = QVBoxLayout(self._memory_box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self._bar)
        source = QHBoxLayout()
        source.addWidget(self._note, 1)
        source.addWidget(self._every, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(source)

    def _build(self) -> None:
        body = _Body()
        body.setProperty("part", "scrolled")
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._back, 0, Qt.AlignmentFlag.AlignTop)
        titles = QVBoxLayout()
        titles.setSpacing(2)
        for line in (self._name, self._by, self._about):
            titles.addWidget(line)
        head.addLayout(titles, 1)
        for button in (self._star, self._card):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        for part in (self._trouble, self._gate, self._card_box, self._reason, self._busy,
                     self.table, self._memory_box, rule(), self._facts):  # fmt: skip
            column.addWidget(part)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scrolled(body, "found_scroll", self.tr("Versions and facts")), 1)
        outer.addWidget(self.foot)

    # --- what is shown ---------------------------------------------------------------------

    def _by_words(self, page: FoundPage) -> str:
        facts, parts = page.facts, []
        if page.author:
            parts.append(self.tr("by {0}").format(page.author))
        if facts.parameters:
            parts.append(self.tr("{0} parameters").format(formatting.parameters(facts.parameters)))
        if facts.n_layers:
            parts.append(self.tr("{0} layers").format(formatting.count(facts.n_layers)))
        parts.append(page.license)
        gated = self.tr("sign-in needed") if page.gated else self.tr("no sign-in needed")
        return ", ".join(part for part in (*parts, gated) if part)

    def _show_cards(self, page: FoundPage) -> None:
        self._card_box.setVisible(len(page.kinds) > 1)
        for kind, card in self._cards.items():
            card.setVisible(kind in page.kinds)
            card.setChecked(kind == page.kind)
            card.set_sentence(self._kind_sentence(kind, page))

    def _kind_sentence(self, kind: FoundKind, page: FoundPage) -> str:
        if kind == "base":
            return self.tr("Continues your text. For study, and for writing on.")
        if kind == "thinking":
            return self.tr("Thinks aloud first, then answers. For harder questions.")
        if kind == page.kind and page.facts.thinking in ("on", "off"):
            return self.tr("Answers you, can think aloud first. For chatting.")
        return self.tr("Answers you. For chatting.")

    def _show_state(self, page: FoundPage) -> None:
        problem = page.problem
        if problem is not None:
            self._trouble.say(problem.title, problem.hint)
        self._trouble.setVisible(problem is not None)
        self._reason.setVisible(bool(page.reason))
        if page.reason:
            self._reason.say(self.tr("Nothing of it runs here."), page.reason)
        self._busy.setVisible(page.busy and not page.versions and not page.reason)

    def _show_contexts(self, page: FoundPage) -> None:
        values = [self._context.itemData(n) for n in range(self._context.count())]
        if tuple(values) != page.contexts:
            self._context.clear()
            for tokens in page.contexts:
                self._context.addItem(formatting.count(tokens), tokens)
            self._context.updateGeometry()
        self._context.setCurrentIndex(self._context.findData(page.n_ctx))

    def _fact_words(self, page: FoundPage) -> tuple[tuple[str, str], ...]:
        facts = page.facts
        unknown = self.tr("not stated")
        form = self.tr("{0} experts").format(formatting.count(facts.experts))
        architecture = f"{facts.architecture}, {form if facts.experts else self.tr('dense')}"
        thinking = {
            "on": self.tr("can be switched"),
            "off": self.tr("can be switched"),
            "always": self.tr("always"),
        }
        rows = [
            (self.tr("Architecture"), architecture if facts.architecture else unknown),
            (self.tr("Longest context"), self._tokens(facts.n_ctx_train) or unknown),
        ]
        if facts.kv_bytes_per_token:
            cost = formatting.size(round(facts.kv_bytes_per_token))
            rows.append((self.tr("Context cost"), self.tr("{0} a token").format(cost)))
        if facts.n_vocab:
            pieces = self.tr("{0} pieces").format(formatting.count(facts.n_vocab))
            rows.append((self.tr("Vocabulary"), pieces))
        if facts.thinking:
            rows.append((self.tr("Thinking"), thinking.get(facts.thinking, facts.thinking)))
        return tuple(rows)

    def _tokens(self, number: int) -> str:
        return self.tr("{0} tokens").format(formatting.count(number)) if number else ""

    def _show_version(self, version_id: str) -> None:
        page = self._page
        version = page.version(version_id) if page is not None else None
        self._memory_box.setVisible(version is not None and not version.problem)
        self._gate.hide()
        if page is None:
            return
        self.foot.show_version(page, version)
        if version is None:
            return
        self._memory.setText(self.tr("Memory for {0}").format(version.label))
        self._bar.set_parts(memory_parts(version.fit))
        self._bar.setVisible(version.fit.memory is not None)
        self._origin.set_text(self._origin_words(version))
        self._origin.setVisible(bool(version.origin))
        judged = version.fit.verdict != "waiting"
        inexact = judged and (version.fit.rough or version.fit.memory is None)
        self._header.setVisible(page.can_read_header and inexact)
        self._header.set_reason(self.tr("It is being read.") if page.busy else "")
        source = self.tr("From {0}.").format(version.repo)
        self._note.setText(f"{source} {version.note}".strip())
        self._every.setVisible(page.key.startswith("catalog:") and version.engine == "gguf")
        self._show_gate(version)

    def _origin_words(self, version: FoundVersion) -> str:
        words = {
            "header": self.tr("derived from the file's header"),
            "catalogue": self.tr("derived from the catalogue"),
            "config": self.tr("derived from its config.json"),
            "size": self.tr("derived from the file's size"),
        }
        return words.get(version.origin, "")

    def _show_gate(self, version: FoundVersion) -> None:
        self._gate.setVisible(version.gated)
        if not version.gated:
            return
        self._gate.say(
            self.tr("Its authors want their terms accepted first."),
            self.tr(
                "Accept them on the page of {0} while signed in, then give the app a token of "
                "that account. Without one it cannot be downloaded."
            ).format(version.repo),
        )
        self._gate.show_action("neighbour", shown=bool(version.neighbour[0]))

    # --- what is asked ---------------------------------------------------------------------

    def _current(self) -> FoundVersion | None:
        return self._page.version(self.table.current()) if self._page is not None else None

    def _on_context(self, index: int) -> None:
        self.context_asked.emit(int(self._context.itemData(index)))

    def _on_gate(self, action: str) -> None:
        version = self._current()
        if version is None:
            return
        if action == "neighbour":
            self.neighbour_asked.emit(*version.neighbour)
        else:
            self.browser_asked.emit(version.repo)

    def _on_every(self) -> None:
        version = self._current()
        if version is not None:
            self.repository_asked.emit(version.repo)

    def _on_row_download(self, version_id: str) -> None:
        version = self._page.version(version_id) if self._page is not None else None
        if version is not None:
            self.foot.download_asked.emit((version,))
