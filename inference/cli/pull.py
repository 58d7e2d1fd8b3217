"""``glasshouse models pull | verify``: bring a model here, and read it again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.meter import Meter
from inference.cli.options import add_json, add_model
from inference.cli.session import INTERRUPTED, interruptible
from inference.errors import InferenceError, from_wire
from inference.library.download import receipts
from inference.library.download.patience import StoppedError
from inference.library.download.queue import DownloadQueue
from inference.library.download.verify import verify
from inference.library.folders import ModelFolders
from inference.library.installed import Library
from inference.library.registry import store_error
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse

    from inference.library.download.values import JobView, Plan
    from inference.library.download.verify import FileCheck, Verification

_REPORT_S = 0.25
_MOVING = ("queued", "checking", "downloading", "waiting")


def add_parsers(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands to ``models``."""
    pulled = actions.add_parser(
        "pull",
        help="download a model; the same command goes on where it stopped",
        description="Download a model from the hub. Stopped by anything, the same command goes "
        "on from where it stood. HF_ENDPOINT, HF_TOKEN, HTTPS_PROXY and NO_PROXY are obeyed.",
    )
    pulled.add_argument("repo", metavar="ORG/NAME")
    pulled.add_argument(
        "--file", metavar="F", default="", help="a file of it, or a part of its name like Q4_K_M"
    )
    pulled.add_argument("--revision", metavar="R", default="", help="branch, tag or commit")
    add_json(pulled)
    pulled.set_defaults(handler=pull)
    checked = actions.add_parser("verify", help="read the files again and compare their hashes")
    add_model(checked)
    add_json(checked)
    checked.set_defaults(handler=verify_model)


def pull(arguments: argparse.Namespace) -> int:
    """Plan, download, and say where it is."""
    # The hub's client takes half a second to import; other commands do without.
    from inference.library.download.prepare import prepare  # noqa: PLC0415
    from inference.library.hub import Hub  # noqa: PLC0415

    hub = Hub()
    repo = _repo_name(arguments.repo, hub.endpoint)
    models = ModelFolders(app_paths()).target()
    plan = prepare(hub, repo, models, arguments.file, arguments.revision)
    if not arguments.json:
        console.line(f"{plan.repo}, {console.size_text(plan.total_bytes)}, to {plan.folder}")
    job = _download(plan, hub.token, _Printer(as_json=arguments.json))
    if job.state == "failed":
        raise from_wire(job.error, job.message, job.hint)
    if job.state != "finished":
        console.note("Stopped. What has arrived is kept; the same command goes on.")
        return INTERRUPTED
    _say_finished(plan, as_json=arguments.json)
    return 0


def verify_model(arguments: argparse.Namespace) -> int:
    """Hash a model's files; 1 when something speaks against them."""
    paths = app_paths()
    info = Library(paths).find(arguments.model)
    cancel = CancelToken()
    printer = _Printer(as_json=arguments.json)
    memory = paths.data / "hashes.json"
    try:
        with interruptible(cancel):
            result = verify(Path(info.path), memory, cancel, printer.reading)
    except StoppedError:
        return INTERRUPTED
    except OSError as exc:
        raise store_error(exc, memory.parent) from exc
    finally:
        printer.clear()
    for file in result.files:
        _say_checked(file, as_json=arguments.json)
    if arguments.json:
        console.json_line(
            {
                "event": "finished",
                "model": info.id,
                "good": result.good,
                "published": result.published,
                "repo": result.repo,
                "revision": result.revision,
            }
        )
    else:
        console.line(_summary(info.id, result))
    return 0 if result.good else 1


def _repo_name(text: str, endpoint: str) -> str:
    """Return ``org/name`` from it or from the address of its page."""
    for prefix in (f"{endpoint}/", "https://huggingface.co/", "https://hf.co/", "hf.co/"):
        text = text.removeprefix(prefix)
    return "/".join(text.strip("/").split("/")[:2])


def _download(plan: Plan, token: str, printer: _Printer) -> JobView:
    queue = DownloadQueue(lambda: token)
    cancel = CancelToken()
    try:
        with interruptible(cancel):
            job_id = queue.add(plan)
            while True:
                queue.wait(_REPORT_S)
                job = queue.job(job_id)
                if job is None:
                    raise InferenceError("The download left its queue.")
                printer.downloading(job)
                if job.state not in _MOVING:
                    return job
                if cancel.cancelled:
                    queue.pause(job_id)
    finally:
        queue.close()
        printer.clear()


class _Printer:
    """Says how far it is: JSON lines, or one line that changes on a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._meter = Meter(as_json=as_json)
        self._last: object = None
        self._told = 0.0

    def downloading(self, job: JobView) -> None:
        """Say where a download stands, if that is news."""
        if self._as_json:
            line: dict[str, console.Json] = {
                "event": "progress",
                "file": job.file,
                "done": job.file_done_bytes,
                "total": job.file_total_bytes,
                "bytes_per_s": round(job.bytes_per_s, 1),
                "state": job.state,
                "note": job.note,
            }
            key = (job.file, job.file_done_bytes, job.state, job.note)
            if job.file and key != self._last:
                console.json_line(line)
            self._last = key
        else:
            self._meter.show(job.note if job.state == "waiting" else _progress_text(job))

    def reading(self, name: str, done: int, total: int) -> None:
        """Say how far a verification is."""
        now = time.monotonic()
        if now - self._told > _REPORT_S:
            self._told = now
            self._meter.show(f"{name}  {done / max(1, total):.0%} read")

    def clear(self) -> None:
        """Take the changing line away."""
        self._meter.clear()


def _progress_text(job: JobView) -> str:
    done, total = console.size_text(job.done_bytes), console.size_text(job.total_bytes)
    text = f"{job.name}  {done} of {total}"
    if job.state == "checking":
        return f"{text}  checking what is here"
    if job.bytes_per_s:
        text += f"  {console.size_text(job.bytes_per_s)}/s"
    if job.remaining_s is not None:
        minutes, seconds = divmod(round(job.remaining_s), 60)
        text += f"  {minutes}:{seconds:02d} left"
    return text


def _say_finished(plan: Plan, *, as_json: bool) -> None:
    receipt = receipts.read_receipt(Path(plan.folder))
    hashes = {name: stored.sha256 for name, stored in receipt.files.items()} if receipt else {}
    weights = [file for file in plan.files if file.path == plan.main] or [
        file for file in plan.files if file.path.endswith(".safetensors")
    ]
    if not as_json:
        console.line(f"Here and checked: {plan.model_path}")
        return
    console.json_line(
        {
            "event": "finished",
            "path": plan.model_path,
            "sha256": hashes.get(weights[0].path, "") if len(weights) == 1 else "",
            "verified": all(file.has_hash for file in plan.files),
            "repo": plan.repo,
            "revision": plan.revision,
            "files": [
                {"path": file.path, "size_bytes": file.size_bytes, "sha256": hashes[file.path]}
                for file in plan.files
            ],
        }
    )


def _say_checked(file: FileCheck, *, as_json: bool) -> None:
    if as_json:
        console.json_line(
            {
                "event": "file",
                "path": file.path,
                "verdict": file.verdict,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                "expected": file.expected,
            }
        )
    else:
        console.line(f"{file.verdict:10}  {console.size_text(file.size_bytes):>9}  {file.path}")


def _summary(model_id: str, result: Verification) -> str:
    if not result.good:
        again = (
            f" `{console.PROGRAM} models pull {result.repo}` fetches it again."
            if result.repo
            else ""
        )
        return f"{model_id} is not what it was meant to be.{again}"
    if result.published:
        return f"{model_id} is byte for byte what was published."
    return f"No published hash of {model_id} is known; its own is remembered for the next check."
