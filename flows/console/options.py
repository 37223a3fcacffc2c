"""From the fields of a flow's parameters to a command's options, and from what is typed to parameters."""

import inspect
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError
from typer.models import ArgumentInfo

from dip.errors import ConfigurationError
from flows.parameters import options_of

Model = TypeVar("Model", bound=BaseModel)


def with_options(
    model: type[Model], first: Sequence[str] = (), without: Collection[str] = ()
) -> Callable[[Callable[[Model], None]], Callable[..., None]]:
    """Give a command the options that a model's fields declare, and call it with the model they make.

    Args:
        model: what the command is called with. A field with a `typer.Option` is an option.
        first: names of fields that precede the others, which stand in the order of the model.
        without: names of fields that the command has no use for.

    Example:
        @app.command()
        @with_options(WorkParameters)
        def masks(asked: WorkParameters) -> None: ...
    """
    options = options_of(model)
    # Arguments can only be told apart by their order, and options cannot come between them in a signature.
    names = sorted(options, key=lambda name: (name not in first, not isinstance(options[name], ArgumentInfo)))
    parameters = [_parameter(model, name) for name in names if name not in without]

    def extend(command: Callable[[Model], None]) -> Callable[..., None]:
        @wraps(command)
        def called_with(**typed: Any) -> None:
            command(model_of(model, typed))

        # Typer reads options off a signature.
        called_with.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called_with.__annotations__ = {each.name: each.annotation for each in parameters}
        return called_with

    return extend


def _parameter(model: type[BaseModel], name: str) -> inspect.Parameter:
    field = model.model_fields[name]
    # A validator that comes before pydantic's own makes the value of the text that is typed.
    is_text = any(isinstance(part, BeforeValidator) for part in field.metadata)
    kind = str | None if is_text else field.annotation
    default = None if field.default_factory else field.default
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else default,
        annotation=Annotated[kind, options_of(model)[name]],
    )


def model_of(model: type[Model], typed: dict[str, Any]) -> Model:
    """The parameters that are asked for by what is typed; None is what is not.

    Raises:
        ConfigurationError: they cannot be meant so.
    """
    try:
        return model(**{name: value for name, value in typed.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError("; ".join(_sentence(model, problem) for problem in error.errors())) from None


def _sentence(model: type[BaseModel], problem: Any) -> str:
    """What is wrong with an option."""
    message: str = problem["msg"].removeprefix("Value error, ")  # so pydantic calls what our validators say
    if not problem["loc"]:
        return message
    return f"{as_typed(model, problem['loc'][0])}: {message}; got {problem['input']!r}"


def as_typed(model: type[BaseModel], name: str) -> str:
    """What is typed for a field: `--time-limit` for `time_limit_s`; of a switch what turns it on."""
    option = options_of(model)[name]
    if isinstance(option, ArgumentInfo):
        return str(option.metavar)
    return str(option.default).partition("/")[0]  # where typer keeps it
