"""What runs of DAGs are to be given, as one form asks for it, and what was typed as the configuration of each. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsconsole.pipelines.fitting import SharedParam, changed, fitted, shared_params
from opsconsole.pipelines.model import DagParam
from opsconsole.pipelines.params import Conf
from opsconsole.runbooks.model import Param

_CONF_HELP = "more, as a JSON object: what is read from dag_run.conf, or parameters that not all of them have"


@dataclass(frozen=True, slots=True)
class TypedParams:
    """The form for runs of one DAG or several."""

    of: Mapping[str, Sequence[DagParam]]
    """DAG id -> its parameters."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """DAG id -> why its parameters are not known."""

    @property
    def shared(self) -> tuple[SharedParam, ...]:
        """The parameters that it asks for: those that all of them have."""
        return shared_params(self.of)

    @property
    def params(self) -> list[Param]:
        """The fields: the default, and in words what may be given; last whatever else is given as JSON."""
        asked = [
            Param(
                name=one.name,
                type="enum" if one.choices else "string",
                required=one.required,
                default=None if one.required else one.default,
                values=one.choices,
                help=one.about,
            )
            for one in self.shared
        ]
        return [*asked, Param(name=self.conf_field, type="string", default="", help=_CONF_HELP)]

    @property
    def conf_field(self) -> str:
        """The name of the field for JSON; no parameter is called like that."""
        taken = {one.name for one in self.shared}
        return next(name for name in ("conf", "conf as JSON", "conf (JSON)", "") if name not in taken)

    def judged(self, name: str, text: str) -> str | None:
        """What is wrong with `text` for the field of that name, whichever DAG it is for."""
        if name == self.conf_field:
            try:
                self._json(text)
            except ValueError as error:
                return str(error)
            return None
        return next(one for one in self.shared if one.name == name).judged(text)

    def confs(self, typed: Mapping[str, str]) -> dict[str, Conf]:
        """DAG id -> the configuration of its run, with what is wrong with it; what was left as it is, is not in it.

        Raises:
            ValueError: the JSON is none.
        """
        more = self._json(typed.get(self.conf_field, ""))
        asked = {name: text for name, text in typed.items() if name != self.conf_field}
        return fitted(self.of, changed(self.shared, asked), more)

    def misfits(self, confs: Mapping[str, Conf]) -> dict[str, str]:
        """DAG id -> why nothing is sent to it."""
        wrong = {dag: "; ".join(map(str, conf.wrong)) for dag, conf in confs.items() if conf.wrong}
        return {**self.unread, **wrong}

    def _json(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text or "{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ValueError('expected a JSON object such as {"day": "2026-11-21"}')
        return found
