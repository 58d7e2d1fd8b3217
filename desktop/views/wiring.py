"""Connects the window with the controllers: what is asked goes down, what happened comes up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt

from desktop.values import AnswerStats
from desktop.views import shortcuts
from desktop.views.appearance import appearance
from desktop.views.download_wiring import DownloadWiring
from desktop.widgets import formatting
from desktop.widgets.model_picker import ModelPicker

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.chat import ChatController
    from desktop.controllers.downloads import DownloadController
    from desktop.controllers.engine import EngineController
    from desktop.controllers.pairs import Fetchable
    from desktop.controllers.past import PastController
    from desktop.controllers.settings import SettingsController
    from desktop.late import LateLibrary
    from desktop.store.settings import Settings
    from desktop.values import ChatDetail, EngineState, Models, Problem
    from desktop.views.chat_column import ChatColumn
    from desktop.views.inside_wiring import InsideWiring
    from desktop.views.main_window import MainWindow
    from desktop.views.models_wiring import ModelsWiring
    from desktop.views.settings_page import SettingsPage
    from desktop.widgets.theme import Theme
    from desktop.widgets.theme_manager import ThemeManager
    from inference.paths import AppPaths

_AWAY: Final = frozenset({"none", "stopped"})


class Wiring(QObject):
    """Lives as long as the window; knows both sides and decides nothing.

    Args:
        window: The window.
        column: Its conversation.
        chats: The open chat and the list.
        downloads: What is fetched.
        engines: The engine and what is installed.
        settings: The settings.
        themes: The look.
        bridge: Where the engine's worker posts.
        tasks: For what pages read off the GUI thread.
        past: What models have read and the disk keeps.
        paths: Folders shown in the settings.
        library: What is installed, and the lists of folders.
    """

    def __init__(
        self,
        window: MainWindow,
        column: ChatColumn,
        *,
        chats: ChatController,
        downloads: DownloadController,
        engines: EngineController,
        settings: SettingsController,
        themes: ThemeManager,
        bridge: EventBridge,
        tasks: TaskRunner,
        past: PastController,
        paths: AppPaths,
        library: LateLibrary,
    ) -> None:
        super().__init__(window)
        self._column = column
        self._window = window
        self._chats = chats
        self._engines = engines
        self._settings = settings
        self._themes = themes
        self._bridge = bridge
        self._tasks = tasks
        self._past = past
        self._paths = paths
        self._library = library
        self._models: ModelsWiring | None = None
        self._inside: InsideWiring | None = None
        self._settings_page: SettingsPage | None = None
        self._fetching = downloads
        self._downloads = DownloadWiring(
            window,
            downloads,
            settings,
            engines=engines,
            chats=chats,
            chat_with=self._chat_with_path,
        )
        self._connect_chats()
        self._connect_column()
        self._connect_engines()
        self._connect_settings()
        self._connect_focus()
        window.page_maker = self.make_page
        shortcuts.bind(window, self._actions())

    def make_page(self, page_id: str, theme: Theme) -> QWidget:
        """Make and connect the page of an id; pages are imported when they are first opened."""
        if page_id == "models":
            from desktop.views.models_wiring import ModelsWiring  # noqa: PLC0415  as below

            models = ModelsWiring(
                theme,
                engines=self._engines,
                downloads=self._fetching,
                settings=self._settings,
                tasks=self._tasks,
                paths=self._paths,
                library=self._library,
                window=self._window,
                parent=self,
            )
            models.chat_asked.connect(self._chat_with)
            models.downloads_asked.connect(lambda: self._window.open_page("downloads"))
            self._window.closing.connect(models.shutdown)
            models.add_asked.connect(self._window.take_model)
            self._models = models
            return models.page
        if page_id == "downloads":
            return self._downloads.make_page(theme)
        if page_id == "inside":
            return self._inside_wiring(theme).page
        from desktop.views.settings_page import SettingsPage  # noqa: PLC0415  not at the start

        settings_page = SettingsPage(theme, self._settings.settings(), self._paths)
        self._adopt_settings(settings_page)
        return settings_page

    def _connect_chats(self) -> None:
        window, chats = self._window, self._chats
        rows = window.chat_list
        rows.chat_chosen.connect(self._open_chat)
        rows.new_chat_asked.connect(self._new_chat)
        rows.rename_asked.connect(chats.rename_chat)
        rows.pin_asked.connect(chats.pin_chat)
        rows.delete_asked.connect(chats.delete_chat)
        rows.words_changed.connect(chats.find)
        chats.chats_changed.connect(self._on_chats_changed)
        chats.find_results_changed.connect(rows.set_found)
        chats.chat_opened.connect(self._on_chat_opened)
        chats.settings_changed.connect(self._on_chat_settings)
        chats.branch_changed.connect(self._on_chat_settings)
        chats.stats_changed.connect(window.status.set_stats)
        chats.answering_changed.connect(self._on_chats_changed)
        chats.chat_deleted.connect(self._on_chat_deleted)
        chats.problem_raised.connect(window.show_problem)
        panel = window.side_panel
        panel.system_prompt_changed.connect(chats.set_system_prompt)
        panel.sampling_changed.connect(chats.set_sampling)
        window.escape_pressed.connect(self._on_escape)
        self._on_chats_changed()
        self._on_chat_opened(chats.current())

    def _connect_column(self) -> None:
        column, chats = self._column, self._chats
        column.send_requested.connect(self._send)
        column.stop_requested.connect(chats.stop)
        column.retry_requested.connect(chats.retry)
        column.offer_taken.connect(self._on_offer)
        column.engine_offer_taken.connect(self._on_engine_offer)
        self._window.models_held.connect(column.composer.set_drop_target)
        column.regenerate_requested.connect(chats.regenerate)
        column.edit_requested.connect(chats.edit)
        column.continue_requested.connect(chats.continue_answer)
        column.inside_requested.connect(self._look_inside)
        column.version_requested.connect(chats.show_version)
        column.save_refused.connect(lambda words: self._window.offer_undo(words, "", None))
        chats.chat_opened.connect(column.open_chat)
        chats.branch_changed.connect(column.change_branch)
        chats.message_added.connect(column.add_message)
        chats.message_changed.connect(column.change_message)
        chats.text_received.connect(column.append_text)
        chats.answering_changed.connect(column.set_answering)
        chats.stats_changed.connect(column.set_stats)
        self._engines.state_changed.connect(column.set_engine)
        column.open_chat(chats.current())
        column.set_engine(self._engines.state())

    def _connect_engines(self) -> None:
        window, engines = self._window, self._engines
        engines.state_changed.connect(self._on_state)
        engines.models_changed.connect(self._on_models)
        engines.model_removed.connect(self._on_model_removed)
        engines.problem_raised.connect(window.show_problem)
        window.model_page_asked.connect(self._show_model)
        engines.model_loaded.connect(lambda name: self._settings.update(last_model=name))
        picker = self._picker()
        if picker is not None:
            picker.model_chosen.connect(self._on_model_chosen)
            picker.cancel_asked.connect(engines.cancel_load)
        self._on_models(engines.models())
        self._on_state(engines.state())

    def _connect_settings(self) -> None:
        self._settings.changed.connect(self._on_settings)
        self._settings.problem_raised.connect(self._window.show_problem)
        self._themes.theme_changed.connect(self._on_theme)
        self._window.closing.connect(self._on_closing)

    def _connect_focus(self) -> None:
        """Give the composer the keyboard wherever a person goes to write next."""
        picker = self._picker()
        if picker is not None:
            picker.list_closed.connect(self._column.focus_composer)
        self._window.rail.page_chosen.connect(self._on_page_chosen)
        self._window.chat_page.panel_closed.connect(self._column.focus_composer)
        self._column.focus_composer()

    def _actions(self) -> dict[str, Callable[[], object]]:
        window = self._window
        return {
            "new_chat": self._new_chat,
            "find_chat": self._find_chat,
            "models": self._open_picker,
            "stop": window.press_escape,
            "undo": window.undo_last,
            "list": window.chat_page.toggle_list,
            "panel": window.chat_page.toggle_panel,
            "page_chat": self._open_chat_page,
            "inside": self._look_at_chosen,
            "page_inside": lambda: window.open_page("inside"),
            "page_models": lambda: window.open_page("models"),
            "page_downloads": lambda: window.open_page("downloads"),
            "page_settings": lambda: window.open_page("settings"),
            "next_region": lambda: window.step_region(1),
            "previous_region": lambda: window.step_region(-1),
            "keys": window.show_keys,
            "close": window.close,
        }

    def _picker(self) -> ModelPicker | None:
        return self._window.findChild(ModelPicker)

    # --- chats -----------------------------------------------------------------------------

    def _open_chat(self, chat_id: str) -> None:
        self._window.side_panel.flush()
        self._window.open_page("chat")
        self._window.chat_page.close_overlay()
        self._chats.open_chat(chat_id)
        self._column.focus_composer()

    def _send(self, text: str) -> None:
        self._window.side_panel.flush()
        self._chats.send(text)

    def _new_chat(self) -> None:
        self._window.side_panel.flush()
        self._window.open_page("chat")
        self._window.chat_page.close_overlay()
        self._chats.new_chat()
        self._column.focus_composer()

    def _open_chat_page(self) -> None:
        self._window.open_page("chat")
        self._column.focus_composer()

    def _on_page_chosen(self, page_id: str) -> None:
        # Arrow keys in the rail walk through the pages; they must not lose the keyboard on the way.
        by_keyboard = self._window.testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if page_id == "chat" and not by_keyboard:
            self._column.focus_composer()

    def _on_offer(self, message_id: str, offer: str) -> None:
        view = self._column.transcript.view_of(message_id)
        if offer == "choose_model":
            self._open_picker()
        elif offer == "load_smaller" and view is not None and view.problem is not None:
            self._load_smaller(view.problem)
            self._chats.retry(message_id)
        elif offer == "larger_context" and view is not None and view.problem is not None:
            self._engines.load_with_context(view.problem.larger_context)
            self._chats.retry(message_id)
        elif offer == "new_chat":
            question = self._column.transcript.question_of(message_id)
            self._new_chat()
            if question is not None:
                self._column.composer.set_text(question.text)

    def _on_engine_offer(self, offer: str) -> None:
        state = self._engines.state()
        if offer == "load_smaller" and state.problem is not None:
            self._load_smaller(state.problem)
        elif offer == "load_again" and state.model is not None:
            self._engines.load(state.model.id, self._engines.options)
        else:
            self._open_picker()

    def _load_smaller(self, problem: Problem) -> None:
        """Load the model in question as its problem proposes."""
        model = self._engines.state().model
        if model is not None and problem.smaller is not None:
            self._engines.load(model.id, problem.smaller)

    def _find_chat(self) -> None:
        self._window.open_page("chat")
        self._window.chat_page.show_list()
        self._window.chat_list.focus_search()

    def _on_chats_changed(self) -> None:
        rows = self._chats.chats()
        self._window.chat_list.set_chats(rows)
        current = self._chats.current().id
        self._window.chat_list.set_current(current)
        title = next((row.title for row in rows if row.id == current), "")
        self._window.chat_page.set_title(title or self.tr("New chat"))

    def _on_chat_opened(self, chat: ChatDetail) -> None:
        self._on_chat_settings(chat)
        self._window.chat_list.set_current(chat.id)
        last = next((one.stats for one in reversed(chat.messages) if one.stats), None)
        self._window.status.set_stats(last)
        self._column.set_stats(last or AnswerStats())

    def _on_chat_settings(self, chat: ChatDetail) -> None:
        self._window.side_panel.set_chat(chat)
        self._window.chat_page.set_title(chat.title or self.tr("New chat"))

    def _on_chat_deleted(self, _chat_id: str, title: str) -> None:
        words = self.tr("Deleted “{0}”.").format(title)
        self._window.offer_undo(words, self.tr("Undo"), self._chats.undo_delete)

    def _on_escape(self) -> None:
        if not self._column.press_escape() and self._engines.state().status == "loading":
            self._engines.cancel_load()

    # --- models ----------------------------------------------------------------------------

    def _on_state(self, state: EngineState) -> None:
        self._window.status.set_engine(state)
        self._window.side_panel.set_base_model(is_base=state.continues)
        picker = self._picker()
        if picker is not None:
            picker.set_engine(state)
        if self._models is not None:
            self._models.set_engine(state)
        if self._inside is not None:
            self._inside.set_engine(state)

    def _on_models(self, models: Models) -> None:
        picker = self._picker()
        if picker is not None:
            picker.set_models(models)
        if self._models is not None:
            self._models.set_models(models)
        if self._settings_page is not None:
            self._settings_page.set_models(models)

    def _on_model_chosen(self, model_id: str) -> None:
        state = self._engines.state()
        if state.model is None or state.model.id != model_id or state.status in _AWAY:
            self._engines.load(model_id)

    def _on_model_removed(self, _model_id: str, name: str, freed_bytes: int) -> None:
        words = self.tr("Removed “{0}”.").format(name)
        if freed_bytes:
            words = self.tr("Removed “{0}”, {1}.").format(name, formatting.size(freed_bytes))
        self._window.offer_undo(words, self.tr("Undo"), self._engines.undo_remove)

    def _open_picker(self) -> None:
        picker = self._picker()
        if picker is None:
            self._window.open_page("models")
            return
        self._window.open_page("chat")
        picker.open_list()

    def _show_model(self, model: str | Fetchable) -> None:
        self._window.open_page("models")
        if self._models is not None:
            self._models.show_model(model)

    def _chat_with(self, model_id: str) -> None:
        self._on_model_chosen(model_id)
        self._new_chat()

    def _chat_with_path(self, path: str) -> None:
        self._engines.add_model(path, load=True)
        self._new_chat()

    # --- inside ----------------------------------------------------------------------------

    def _inside_wiring(self, theme: Theme) -> InsideWiring:
        if self._inside is None:
            from desktop.views.inside_wiring import InsideWiring  # noqa: PLC0415  not at the start

            data, sides = self._paths.data, (self._engines, self._bridge, self._chats)
            self._inside = InsideWiring(theme, *sides, tasks=self._tasks, data=data, parent=self)
            self._inside.said.connect(lambda words: self._window.offer_undo(words, "", None))
            self._inside.chat_wanted.connect(self._open_chat_page)
            self._inside.found_asked.connect(self._show_model)
        return self._inside

    def _look_inside(self, message_id: str, word: str, occurrence: int) -> None:
        source = self._chats.text_source(message_id, word, occurrence)
        if source is not None:
            self._window.open_page("inside")
            self._inside_wiring(self._window.theme).open(source)

    def _look_at_chosen(self) -> None:
        """Look at the word chosen in the chat, else at the latest answer, else at a text."""
        from desktop.views.inside_wiring import chosen_word  # noqa: PLC0415  not at the start

        chosen = chosen_word(self._column.transcript)
        if chosen is None or self._window.current_page() != "chat":
            self._window.open_page("inside")
            self._inside_wiring(self._window.theme).page.focus_text()
        else:
            self._look_inside(*chosen)

    # --- settings --------------------------------------------------------------------------

    def _adopt_settings(self, page: SettingsPage) -> None:
        self._settings_page = page
        page.change_asked.connect(lambda changes: self._settings.update(**changes))
        page.past_shown.connect(self._past.measure)
        page.past_clear_asked.connect(self._past.clear)
        self._past.measured.connect(page.set_past_bytes)
        page.set_models(self._engines.models())

    def _on_settings(self, settings: Settings) -> None:
        self._themes.set_appearance(appearance(settings))
        if self._models is not None:
            self._models.set_settings(settings)
        if self._settings_page is not None:
            self._settings_page.set_settings(settings)

    def _on_theme(self, theme: Theme) -> None:
        self._window.set_theme_everywhere(theme)

    def _on_closing(self) -> None:
        kept = self._settings.settings()
        splitters = dict(kept.splitters)
        widths = self._window.chat_page.widths()
        if widths:
            splitters["chat"] = widths
        self._settings.update(window_geometry=self._window.geometry_text(), splitters=splitters)
