"""What a question in writing may be."""

import pytest
from pydantic import ValidationError

from parlour.app.home import writer_in
from parlour.gateways.http import Question


@pytest.mark.parametrize("name", ["a", "Anna-2_x.y:z", "x" * 60])
def test_each_conversation_in_writing_is_a_device_of_its_own(name: str) -> None:
    question = Question.model_validate({"text": "hello", "conversation": name})
    assert writer_in(question.conversation) == f"writing:{name}"
    assert writer_in(Question.model_validate({"text": "hello"}).conversation) == "writing"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "\u00fc", "a\nb", "x" * 61])
def test_a_conversation_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Question.model_validate({"text": "hello", "conversation": name})
