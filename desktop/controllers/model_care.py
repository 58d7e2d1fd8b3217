"""``ModelCare``: what is read, checked and tried about one model, all of it off the GUI thread.

Facts from its files, the template doctor, previews of templates, hashing, and whether a hub has
something newer. It loads nothing and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import shelf_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import Progress, TaskHandle, TaskRunner
    from desktop.controllers.engine import EngineController
    from inference.cancel import CancelToken
    from inference.library.details import ModelDetails
    from inference.library.download.verify import Verification
    from inference.library.estimate import MemoryEstimate
    from inference.library.model_defaults import TemplateChoice
    from inference.library.template_doctor import Diagnosis, Mend
    from inference.library.template_facts import TemplateFacts
    from inference.library.updates import UpdateCheck
    from inference.paths import AppPaths
    from inference.types import LoadOptions, ModelInfo

_HASHES = "hashes.json"
_STEP = 0.005


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model's files say.

    Attributes:
        info: The model they were read for.
        details: Types per tensor, origin, hash.
        template: What the doctor says of the template in its files; ``None`` if that is unread.
        own_source: That template.
        mend: What suits this model among the templates of the app.
        forecast: Memory it will need as it would be loaded now (derived); ``None`` if unknown.
    """

    info: ModelInfo
    details: ModelDetails
    template: Diagnosis | None = None
    own_source: str = ""
    mend: Mend | None = None
    forecast: MemoryEstimate | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A template as it would work with a model: its verdict and a sample conversation."""

    model_id: str
    choice: TemplateChoice
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True)
class Check:
    """Where hashing a model stands, or what it found.

    Attributes:
        model_id: Which model.
        progress: Share that is read; ``None`` when it has ended.
        result: What was found; ``None`` while it runs, and when it was cancelled.
    """

    model_id: str
    progress: float | None = None
    result: Verification | None = None


class ModelCare(QObject):
    """One model is looked at, and one is hashed, at a time.

    Args:
        engines: Which models there are, and how they would be loaded.
        tasks: Where the work is done.
        paths: Where hashes are remembered.
        parent: Qt parent.

    Signals:
        facts_read: A ``ModelFacts``.
        previewed: A ``Preview``.
        check_changed: A ``Check``.
        update_checked: Model id and an ``UpdateCheck``, or a ``Problem``.
        problem_raised: A ``Problem``.
    """

    facts_read = Signal(object)
    previewed = Signal(object)
    check_changed = Signal(object)
    update_checked = Signal(str, object)
    problem_raised = Signal(object)

    def __init__(
        self,
        engines: EngineController,
        tasks: TaskRunner,
        paths: AppPaths,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._tasks = tasks
        self._hashes = paths.data / _HASHES
        self._looking: TaskHandle | None = None
        self._previewing: TaskHandle | None = None
        self._checking: TaskHandle | None = None
        self._check = Check("")
        self._templates: dict[ModelInfo, TemplateFacts] = {}  # a vocabulary takes a moment to walk

    # --- facts -----------------------------------------------------------------------------

    def look(self, model_id: str) -> None:
        """Read what a model's files say; ``facts_read`` follows unless another is asked for."""
        info = self._engines.shelf.find(model_id)
        if info is None:
            return
        if self._looking is not None:
            self._looking.cancel()
        options, hashes = self._engines.default_options(info), self._hashes
        known = self._templates.get(info)
        self._looking = self._tasks.run(
            Task(lambda _cancel, _progress: _read(info, options, hashes, known)).on_success(
                self._on_read
            )
        )

    def preview(self, model_id: str, choice: TemplateChoice) -> None:
        """Try a template on a sample conversation; ``previewed`` follows."""
        info = self._engines.shelf.find(model_id)
        if info is None:
            return
        if self._previewing is not None:
            self._previewing.cancel()
        known = self._templates.get(info)

        def tried(diagnosis: Diagnosis) -> None:
            self.previewed.emit(Preview(model_id, choice, diagnosis))

        self._previewing = self._tasks.run(
            Task(lambda _cancel, _progress: _examine(info, choice, known))
            .on_success(tried)
            .on_failure(self._explain)
        )

    def _on_read(self, read: tuple[ModelFacts, TemplateFacts | None]) -> None:
        facts, template = read
        if template is not None:
            self._templates = {facts.info: template}
        self.facts_read.emit(facts)

    # --- hashing ---------------------------------------------------------------------------

    def check(self) -> Check:
        """Where hashing stands."""
        return self._check

    def verify(self, model_id: str) -> None:
        """Hash a model's files; one at a time."""
        info = self._engines.shelf.find(model_id)
        if info is None or self._check.progress is not None:
            return
        path, hashes, size = Path(info.path), self._hashes, max(1, info.size_bytes)

        def work(cancel: CancelToken, progress: Progress) -> Verification:
            return _verify(path, hashes, cancel, _Share(size, progress))

        self._set_check(Check(model_id, 0.0))
        self._checking = self._tasks.run(
            Task(work)
            .on_progress(lambda share: self._set_check(Check(model_id, share)))
            .on_success(lambda result: self._set_check(Check(model_id, result=result)))
            .on_failure(self._on_check_failed)
        )

    def cancel_verify(self) -> None:
        """Stop hashing; nothing is kept of it."""
        if self._checking is not None and self._check.progress is not None:
            self._checking.cancel()
            self._set_check(Check(self._check.model_id))

    def _on_check_failed(self, error: Exception) -> None:
        self._set_check(Check(self._check.model_id))
        self._explain(error)

    def _set_check(self, check: Check) -> None:
        self._check = check
        self.check_changed.emit(check)

    # --- updates ---------------------------------------------------------------------------

    def check_update(self, model_id: str) -> None:
        """Ask the hub that a model is from whether it has something newer."""
        info = self._engines.shelf.find(model_id)
        if info is None:
            return
        path = Path(info.path)

        def ask() -> UpdateCheck:
            from inference.library.updates import check_update  # noqa: PLC0415  rare, and heavy

            return check_update(path)

        self._tasks.run(
            Task(lambda _cancel, _progress: ask())
            .on_success(lambda found: self.update_checked.emit(model_id, found))
            .on_failure(lambda error: self._on_update_failed(model_id, error))
        )

    def _on_update_failed(self, model_id: str, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self.update_checked.emit(model_id, shelf_problem(error))

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self.problem_raised.emit(shelf_problem(error))


class _Share:
    """From bytes of one file after another to the share of all, told in small steps."""

    def __init__(self, total_bytes: int, tell: Callable[[float], None]) -> None:
        self._total = total_bytes
        self._tell = tell
        self._file = ""
        self._before = self._here = 0
        self._told = 0.0

    def __call__(self, file: str, done: int, _size: int) -> None:
        if file != self._file:
            self._before, self._file = self._before + self._here, file
        self._here = done
        share = min(1.0, (self._before + done) / self._total)
        if share - self._told >= _STEP:
            self._told = share
            self._tell(share)


def _read(
    info: ModelInfo, options: LoadOptions, hashes: Path, known: TemplateFacts | None
) -> tuple[ModelFacts, TemplateFacts | None]:
    from inference.library.details import read_details  # noqa: PLC0415  in a worker thread
    from inference.library.estimate import estimate  # noqa: PLC0415  as above
    from inference.library.template_doctor import (  # noqa: PLC0415  as above
        examine_template,
        mend_for,
    )
    from inference.library.template_facts import template_facts  # noqa: PLC0415  as above

    path = Path(info.path)
    facts = ModelFacts(info, read_details(path, hashes))
    try:
        known = known or template_facts(path)
        facts = replace(
            facts, template=examine_template(known), own_source=known.source, mend=mend_for(known)
        )
    except (InferenceError, OSError):
        known = None
    try:
        forecast = estimate(path, options.n_ctx, options.kv_cache_type, options.dtype)
    except (InferenceError, OSError):
        forecast = None
    return replace(facts, forecast=forecast), known


def _examine(info: ModelInfo, choice: TemplateChoice, known: TemplateFacts | None) -> Diagnosis:
    from inference.library.template_doctor import examine_template  # noqa: PLC0415  as above
    from inference.library.template_facts import template_facts  # noqa: PLC0415  as above

    facts = known or template_facts(Path(info.path))
    return examine_template(facts, choice.source or None)  # as both engines take it


def _verify(path: Path, hashes: Path, cancel: CancelToken, share: _Share) -> Verification:
    from inference.library.download.verify import verify  # noqa: PLC0415  as above
    from inference.library.registry import store_error  # noqa: PLC0415  as above

    try:
        return verify(path, hashes, cancel, share)
    except OSError as exc:
        raise store_error(exc, hashes.parent) from exc
