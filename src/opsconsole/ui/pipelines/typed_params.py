"""The parameters of a DAG as a form asks for them, and what was typed as the configuration of a run. Pure."""

from collections.abc import Mapping, Sequence

from opsconsole.pipelines.model import DagParam
from opsconsole.pipelines.params import Conf, complaint, conf_of, limits_of, parsed, text_of
from opsconsole.runbooks.model import Param


def form_params(params: Sequence[DagParam]) -> list[Param]:
    """What the form shows: the default, and in words what may be given."""
    return [
        Param(
            name=one.name,
            type="enum" if one.schema.get("enum") else "string",
            required=one.required,
            default=None if one.required else text_of(one.default),
            values=tuple(text_of(value) for value in one.schema.get("enum") or ()),
            help="   ".join(text for text in (one.about, limits_of(one)) if text),
        )
        for one in params
    ]


def judged(params: Sequence[DagParam], name: str, text: str) -> str | None:
    """What is wrong with `text` for the parameter of that name."""
    param = next(one for one in params if one.name == name)
    if text == text_of(param.default) and not param.required:
        return None  # Airflow has checked its own default
    try:
        return complaint(param.schema, parsed(param, text)) or None
    except ValueError as error:
        return str(error)


def conf_typed(params: Sequence[DagParam], typed: Mapping[str, str]) -> Conf:
    """The configuration: what differs from the defaults, so that what is sent is what somebody wanted."""
    defaults = {one.name: text_of(one.default) for one in params}
    required = {one.name for one in params if one.required}
    return conf_of(params, {name: text for name, text in typed.items() if name in required or text != defaults[name]})
