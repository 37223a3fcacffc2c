"""Where the stop rules stop, and what that costs: PSNR at the stop against the peak of the same run."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from dip.configuration import Configuration
from dip.evaluation.studies.base import Findings, Study, TableRow, Trial
from dip.evaluation.studies.subject import Subject, subject_of
from dip.methods.optimization import problem_of, settings_for
from dip.optimize.fit import restore
from dip.optimize.loop import Fit, Schedule
from dip.optimize.monitors import OutputTracker, StopMonitor
from dip.optimize.stopping import FixedRule, HeldOutRule, NoiseLevelRule, StopRule, VarianceRule

WATCHED = "one-fit"
"""The variant in which all rules that need no held-out pixels watch the same fit."""


def _variants(configuration: Configuration) -> tuple[str, ...]:  # noqa: ARG001 - they are the same for all
    return (WATCHED, HeldOutRule.name)


def _run(trial: Trial) -> Findings:
    subject = subject_of(trial)
    settings = settings_for(subject.measurement, trial.configuration)
    decider, rules = _rules(trial, settings.schedule)
    settings = replace(settings, schedule=replace(settings.schedule, rule=decider))
    seen: list[OutputTracker] = []
    signals: dict[tuple[int, str], TableRow] = {}

    def keep(tracker: OutputTracker) -> None:
        seen[:] = [tracker]
        for rule, monitor in zip(rules, tracker.monitors[1:], strict=True):
            row = {"iteration": tracker.iteration, "rule": rule.name, "signal": float(monitor.signal)}
            signals[tracker.iteration, rule.name] = row

    fit = restore(
        problem_of(subject.measurement, settings.objective),
        subject.measurement.size_px,
        settings,
        subject.seed,
        subject.device,
        subject.evaluator.psnr_of(),
        keep,
        rules,
    )
    protocol = trial.configuration.protocol_name
    psnrs = [
        {"iteration": point.iteration, "protocol": protocol, "psnr_db": point.psnr_db} for point in fit.curve
    ]
    stops = [
        _stop(rule, monitor, fit, subject) for rule, monitor in zip(rules, seen[0].monitors[1:], strict=True)
    ]
    return Findings(trial, {"psnr": psnrs, "signals": list(signals.values()), "stops": stops})


def _rules(trial: Trial, schedule: Schedule) -> tuple[StopRule, list[StopRule]]:
    """The rule that lets the fit run to its end, and those that watch it."""
    if trial.variant == HeldOutRule.name:
        watching = schedule.rule if isinstance(schedule.rule, HeldOutRule) else HeldOutRule()
        return replace(watching, patience=schedule.iterations), [watching]
    degradation = trial.configuration.degradation
    sigma = None if degradation is None else degradation.sigma
    known: list[StopRule] = [] if sigma is None else [NoiseLevelRule(sigma / 255)]
    return FixedRule(), [VarianceRule(), *known, FixedRule()]


def _stop(rule: StopRule, monitor: StopMonitor, fit: Fit, subject: Subject) -> TableRow:
    """Where a rule stopped, and the PSNR of its answer."""
    return {
        "rule": rule.name,
        "stop_iteration": monitor.best_iteration,
        "stop_reason": monitor.reason if monitor.is_done else "iteration-limit",
        "protocol": subject.evaluator.configuration.protocol_name,
        "psnr_db": float(subject.evaluator.psnr_of()(monitor.answer)),
        "psnr_peak_db": max(point.psnr_db for point in fit.curve if point.psnr_db is not None),
    }


def _gaps(tables: Mapping[str, pa.Table]) -> pa.Table:
    """What each rule lost to the peak of its fits, over all images: mean and worst, in dB."""
    stops = tables["stops"]
    gaps = pc.subtract(stops["psnr_peak_db"], stops["psnr_db"])
    means = (
        stops.append_column("gap_db", gaps)
        .group_by("rule")
        .aggregate([("gap_db", "count"), ("gap_db", "mean"), ("gap_db", "max"), ("stop_iteration", "mean")])
    )
    return means.rename_columns(["rule", "images", "mean gap dB", "worst gap dB", "mean stop iteration"])


_ITERATION = pa.field("iteration", pa.int32(), nullable=False)
_PROTOCOL = pa.field("protocol", pa.string(), nullable=False)
_RULE = pa.field("rule", pa.string(), nullable=False)

STOPPING = Study(
    _variants,
    _run,
    {
        "psnr": pa.schema([_ITERATION, _PROTOCOL, pa.field("psnr_db", pa.float64())]),
        "signals": pa.schema([_ITERATION, _RULE, pa.field("signal", pa.float64())]),
        "stops": pa.schema(
            [
                _RULE,
                pa.field("stop_iteration", pa.int32(), nullable=False),
                pa.field("stop_reason", pa.string(), nullable=False),
                _PROTOCOL,
                pa.field("psnr_db", pa.float64(), nullable=False),
                pa.field("psnr_peak_db", pa.float64(), nullable=False),
            ]
        ),
    },
    _gaps,
)
