"""Connects the Installed tab with the engine and with what is read about one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.controllers.making import MakingController
from desktop.controllers.model_care import ModelCare
from desktop.views.installed_page import InstalledPage
from inference.library.folders import ModelFolders

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.widgets.theme import Theme
    from inference.paths import AppPaths


def make_installed(
    theme: Theme, engines: EngineController, tasks: TaskRunner, paths: AppPaths, parent: QObject
) -> InstalledPage:
    """Make and connect the page; what it decides nothing about is asked of ``engines``."""
    page = InstalledPage(theme, engines.settings())
    page.load_asked.connect(engines.load)
    page.remove_asked.connect(engines.remove_model)
    page.unload_asked.connect(engines.unload)
    page.cancel_asked.connect(engines.cancel_load)
    _connect_detail(page, engines, ModelCare(engines, tasks, paths, parent))
    making = MakingController(engines, ModelFolders(paths), parent)
    page.detail.completed.connect(lambda: _connect_making(page, making))
    page.set_engine(engines.state())
    page.set_models(engines.models())
    return page


def _connect_detail(page: InstalledPage, engines: EngineController, care: ModelCare) -> None:
    detail = page.detail

    def chosen() -> str:
        return page.chosen

    detail.note_asked.connect(lambda name, changes: engines.shelf.change_note(name, **changes))
    detail.smaller_asked.connect(lambda: load_smaller(engines))
    detail.look_asked.connect(care.look)
    care.facts_read.connect(detail.show_facts)
    care.check_changed.connect(detail.show_check)
    care.problem_raised.connect(engines.problem_raised)

    def connect_sections() -> None:
        detail.template.preview_asked.connect(lambda choice: care.preview(chosen(), choice))
        detail.files.verify_asked.connect(lambda: care.verify(chosen()))
        detail.files.cancel_asked.connect(care.cancel_verify)
        detail.files.update_asked.connect(lambda: care.check_update(chosen()))
        care.previewed.connect(detail.template.show_preview)
        care.update_checked.connect(detail.files.show_update)

    detail.completed.connect(connect_sections)


def _connect_making(page: InstalledPage, making: MakingController) -> None:
    section = page.detail.making
    section.make_asked.connect(lambda kind: making.make(page.chosen, kind))
    section.cancel_asked.connect(making.cancel)
    making.changed.connect(section.show_making)


def load_smaller(engines: EngineController) -> None:
    """Load the model in question as its problem proposes."""
    model, problem = engines.state().model, engines.state().problem
    if model is not None and problem is not None and problem.smaller is not None:
        engines.load(model.id, problem.smaller)
