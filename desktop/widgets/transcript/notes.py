"""What stands below the words of an answer: waiting, reading, stopped, failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.widgets.controls import Button, label
from desktop.widgets.formatting import count
from desktop.widgets.icons import icon, paint_icon

if TYPE_CHECKING:
    from desktop.values import AnswerStats, MessageView, Offer, Problem
    from desktop.widgets.controls import ButtonKind
    from desktop.widgets.theme import Theme

_LINE = 26
_BAR = 84


class StatusLine(QWidget):
    """One line: an icon, a sentence, perhaps a bar, perhaps a link to go on."""

    continue_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_status")
        self._theme = theme
        self._icon = ""
        self._text = ""
        self._share: float | None = None
        self._is_bad = False
        self._link: Button | None = None

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def show_view(self, view: MessageView, *, is_loading: bool, is_last: bool = True) -> None:
        """Say what the state of an answer is, if there is something to say."""
        self._share = None
        self._is_bad = view.state == "failed"
        self._icon, self._text = "", ""
        if view.state == "waiting":
            self._icon = "loader-circle"
            self._text = self.tr("Loading the model") if is_loading else self.tr("Waiting to start")
        elif view.state == "reading":
            self._icon = "loader-circle"
            self._text = self._reading(view)
        elif view.state == "stopped":
            self._icon, self._text = "circle-stop", self.tr("You stopped here.")
        elif is_cut(view):
            self._icon, self._text = "circle-stop", self._cut_words(view.stats)
        elif view.state == "failed" and view.text.strip():
            words = len(view.text.split())
            self._icon = "circle-stop"
            self._text = (
                self.tr("Stopped here. This word is kept.")
                if words == 1
                else self.tr("Stopped here. These {0} words are kept.").format(count(words))
            )
        full = view.stats is not None and view.stats.is_context_full
        goes_on = view.state == "stopped" or (is_cut(view) and not full)
        self._show_link(goes_on and is_last and bool(view.text))
        self.setAccessibleName(self._text)
        self.setVisible(bool(self._text))
        self.update()

    def _cut_words(self, stats: AnswerStats | None) -> str:
        if stats is None:
            return ""
        if stats.is_context_full:
            words = self.tr("Ended here: the context of {0} tokens is full.")
            return words.format(count(stats.context_total))
        words = self.tr("Ended by the length limit of {0} tokens.")
        return words.format(count(stats.completion_tokens))

    def _reading(self, view: MessageView) -> str:
        if view.reading_total <= 0:
            return self.tr("Reading your message")
        self._share = min(1.0, view.reading_done / view.reading_total)
        return self.tr("Reading {0} of {1} tokens").format(
            count(view.reading_done), count(view.reading_total)
        )

    def _show_link(self, wanted: bool) -> None:
        if wanted and self._link is None:
            text = self.tr("Continue")
            self._link = Button(text, self._theme, kind="link", name="continue_link", parent=self)
            self._link.clicked.connect(self.continue_requested)
        if self._link is not None:
            self._link.setVisible(wanted)
            left = 23 + self._text_width() + 10
            size = self._link.sizeHint()
            top = (_LINE - size.height()) // 2
            self._link.setGeometry(left, top, size.width(), size.height())

    def _text_width(self) -> int:
        return QFontMetrics(self._theme.font("small", tabular=True)).horizontalAdvance(self._text)

    def sizeHint(self) -> QSize:
        """Return one line."""
        return QSize(320, _LINE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint icon, sentence and bar."""
        theme = self._theme
        painter = QPainter(self)
        tone = theme.bad if self._is_bad else theme.accent if self._share is not None else None
        paint_icon(painter, self._icon, tone or theme.text3, QRect(0, 5, 16, 16))
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.text3 if tone is None or self._is_bad else theme.text2)
        place = QRect(23, 0, self.width() - 23, _LINE)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), self._text)
        if self._share is not None:
            left = 23 + self._text_width() + 10
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.line_strong)
            painter.drawRoundedRect(QRectF(left, 11, _BAR, 4), 2, 2)
            painter.setBrush(theme.accent)
            painter.drawRoundedRect(QRectF(left, 11, _BAR * self._share, 4), 2, 2)
        painter.end()


def is_cut(view: MessageView) -> bool:
    """Whether a limit ended an answer that would have gone on."""
    return view.state == "complete" and view.stats is not None and view.stats.is_cut


class ProblemNote(QFrame):
    """What went wrong, what it means, what to do, and what the engine said last.

    Signals:
        retry_requested: Try again.
        offer_taken: An ``Offer`` of the problem.
        size_changed: The fold opened or closed.
    """

    retry_requested = Signal()
    offer_taken = Signal(str)
    size_changed = Signal()

    def __init__(self, problem: Problem, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problem_note")
        self._problem = problem
        self._theme = theme
        self._detail: QLabel | None = None
        self._fold: Button | None = None
        self._retry: Button | None = None
        self._copy: Button | None = None
        sentence = " ".join(part for part in (problem.message, problem.hint) if part)
        self.setAccessibleName(f"{problem.title} {sentence}".strip())
        column = QVBoxLayout(self)
        column.setContentsMargins(47, 12, 15, 13)
        column.setSpacing(2)
        title = label(problem.title, theme, "body_strong", wrap=True, name="problem_title")
        column.addWidget(title)
        if sentence:
            text = label(sentence, theme, "body", "text2", wrap=True, name="problem_text")
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(text)
        self._add_actions(column)

    def _add_actions(self, column: QVBoxLayout) -> None:
        problem, theme = self._problem, self._theme
        buttons = [self._offer_button(offer) for offer in problem.offers]
        if problem.can_retry:
            text = self.tr("Try again")
            kind: ButtonKind = "secondary" if buttons else "main"
            retry = Button(text, theme, kind=kind, name="retry", icon_name="refresh-cw")
            retry.clicked.connect(self._on_retry)
            buttons.append(retry)
            self._retry = retry
        if buttons:
            row = QHBoxLayout()
            row.setContentsMargins(0, 10, 0, 0)
            row.setSpacing(8)
            for button in buttons:
                row.addWidget(button)
            row.addStretch()
            column.addLayout(row)
        if problem.detail.strip():
            column.addSpacing(6)
            self._add_detail(column)

    def _offer_button(self, offer: Offer) -> Button:
        words = {
            "larger_context": self.tr("Load with {0} tokens").format(
                count(self._problem.larger_context)
            ),
            "load_smaller": self._problem.smaller_words,
            "new_chat": self.tr("Start a new chat with it"),
            "choose_model": self.tr("Choose a model"),
        }
        kind: ButtonKind = "main" if offer == self._problem.offers[0] else "secondary"
        button = Button(words[offer], self._theme, kind=kind, name=f"offer_{offer}")
        button.clicked.connect(lambda: self.offer_taken.emit(offer))
        return button

    def _add_detail(self, column: QVBoxLayout) -> None:
        theme = self._theme
        text = self.tr("What the engine said last")
        self._fold = Button(
            text, theme, kind="ghost", name="problem_fold", icon_name="chevron-right", small=True
        )
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._on_folded)
        self._copy = Button(self.tr("Copy"), theme, kind="link", name="problem_copy")
        self._copy.setAccessibleName(self.tr("Copy what the engine said"))
        self._copy.clicked.connect(self._on_copy)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        self._fold.setStyleSheet("padding-left: 0;")  # in line with the words above
        row.addWidget(self._fold)
        row.addStretch()
        row.addWidget(self._copy)
        column.addLayout(row)
        self._detail = label(self._problem.detail, theme, "code_small", wrap=True)
        self._detail.setObjectName("problem_detail")
        self._detail.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._detail.setStyleSheet("padding: 8px 10px;")
        self._detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._detail.hide()
        column.addWidget(self._detail)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def _on_retry(self) -> None:
        if self._retry is not None:
            self._retry.set_reason(self.tr("It is being tried again."))
        self.retry_requested.emit()

    def _on_folded(self, is_open: bool) -> None:
        if self._detail is not None and self._fold is not None:
            self._detail.setVisible(is_open)
            name = "chevron-down" if is_open else "chevron-right"
            self._fold.setIcon(icon(name, self._theme))
            self.size_changed.emit()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._problem.detail)
        if self._copy is not None:
            self._copy.setText(self.tr("Copied"))
            QTimer.singleShot(2_000, self._copy, self._on_copy_shown)

    def _on_copy_shown(self) -> None:
        if self._copy is not None:
            self._copy.setText(self.tr("Copy"))

    def height_for(self, width: int) -> int:
        """Return the height in pixels at a width."""
        self.setFixedWidth(width)
        layout = self.layout()
        if layout is None:
            return 0
        layout.invalidate()
        layout.activate()
        return int(layout.totalHeightForWidth(width))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint ground, outline and icon."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.bad_line)
        painter.setBrush(theme.bad_soft)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        paint_icon(painter, "circle-alert", theme.bad, QRect(14, 13, 20, 20))
        if self._detail is not None and self._detail.isVisible():
            painter.setBrush(theme.page)
            box = QRectF(self._detail.geometry()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(box, 6, 6)
        painter.end()
