"""From a request to prompt ids: chat template, special tokens as ids, BOS exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.errors import BadChatTemplateError, UnsupportedRequestError
from inference.prompt.chat_template import ChatTemplate
from inference.prompt.segments import render_segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inference.gguf.vocabulary import Vocabulary
    from inference.types import GenerationRequest, Message


class PromptBuilder:
    """Makes prompts for one model.

    Args:
        vocabulary: The model's.
        template_source: The file's chat template, ``None`` when it has none.
    """

    def __init__(self, vocabulary: Vocabulary, template_source: str | None) -> None:
        self._vocabulary = vocabulary
        self._template = (
            ChatTemplate(template_source, vocabulary.bos_text, vocabulary.eos_text)
            if template_source
            else None
        )

    def of_request(self, request: GenerationRequest) -> list[int]:
        """Return the prompt's ids.

        Raises:
            UnsupportedRequestError: Not exactly one kind of prompt, an unknown id, or nothing.
            BadChatTemplateError: There is no template, or it refuses the conversation.
        """
        given = (request.messages, request.text, request.token_ids)
        if sum(kind is not None for kind in given) != 1:
            raise UnsupportedRequestError(
                "A request needs exactly one of messages, text and token ids."
            )
        if request.messages is not None:
            _, ids = self.of_messages(request.messages, request.template_variables)
        elif request.text is not None:
            ids = self.of_text(request.text)
        else:
            ids = list(request.token_ids or ())
            self._vocabulary.check_ids(ids)
        if not ids:
            raise UnsupportedRequestError(
                "There is nothing to continue.", "Write at least one character."
            )
        return ids

    def of_text(self, text: str) -> list[int]:
        """Return a raw text's ids, with BOS where the model wants one or nothing else is there."""
        vocabulary = self._vocabulary
        ids = vocabulary.tokenize(text)
        if vocabulary.bos_id >= 0 and (vocabulary.adds_bos or not ids):
            ids.insert(0, vocabulary.bos_id)
        return ids

    def of_messages(
        self, messages: Sequence[Message], variables: Mapping[str, bool | int | str] | None
    ) -> tuple[str, list[int]]:
        """Return a conversation as the exact text and the exact ids.

        A template may begin with BOS; where it does not and the model wants one, it is added, as
        llama.cpp's own programs do.

        Raises:
            BadChatTemplateError: There is no template, or it refuses the conversation.
        """
        if self._template is None:
            raise BadChatTemplateError(
                "This model has no chat template, so it cannot hold a conversation.",
                "Use it as a completion: it continues your text.",
            )
        vocabulary = self._vocabulary
        specials = vocabulary.specials
        segments = render_segments(self._template, messages, variables, specials)
        ids: list[int] = []
        for segment in segments:
            if segment.special:
                ids.append(specials[segment.text])
            elif ids and ids[-1] in vocabulary.swallowing:
                ids += vocabulary.tokenize(segment.text.lstrip())
            else:
                ids += vocabulary.tokenize(segment.text)
        text = "".join(segment.text for segment in segments)
        wants_bos = vocabulary.adds_bos and vocabulary.bos_id >= 0
        if wants_bos and ids[:1] != [vocabulary.bos_id]:
            ids.insert(0, vocabulary.bos_id)
            text = vocabulary.bos_text + text
        return text, ids
