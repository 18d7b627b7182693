"""The limits of Cloud Run: memory, CPU, concurrency, instances and time."""

import re
from typing import Any

from tests.deploy.cloud.messages import ApiError

__all__ = ["check_limits", "cpu_of", "memory_of"]

_UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}
_MIB = 2**20
# cloud.google.com/functions/docs/configuring/memory: the default vCPU by memory, up to so many MiB.
_CPU_BY_MEMORY = (
    (128, 0.083),
    (256, 0.167),
    (512, 0.333),
    (1024, 0.583),
    (2048, 1.0),
    (8192, 2.0),
    (16384, 4.0),
)


def check_limits(name: str, config: dict[str, Any]) -> None:
    """Raise 400 for a combination that Cloud Run refuses; `config` is a function's serviceConfig."""
    memory, cpu = memory_of(config), cpu_of(config)
    concurrency = config.get("maxInstanceRequestConcurrency", 1)
    problem = ""
    if not 1 <= concurrency <= 1000:
        problem = f"concurrency must be 1 to 1000, not {concurrency}"
    elif cpu < 1 and concurrency > 1:
        problem = "Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1"
    elif not 0.08 <= cpu < 1 and cpu not in (1, 2, 4, 6, 8):
        problem = f"cpu must be 1, 2, 4, 6, 8 or at least 0.08, not {cpu}"
    elif cpu < 0.5 and memory > 512 * _MIB:
        problem = "memory > 512Mi needs cpu >= 0.5"
    elif cpu < 1 and memory > 1024 * _MIB:
        problem = "memory > 1Gi needs cpu >= 1"
    elif memory < 128 * _MIB:
        problem = "memory must be 128Mi at least"
    elif config.get("maxInstanceCount", 100) < config.get("minInstanceCount", 0):
        problem = "max instances must not be below min instances"
    elif not 1 <= config.get("timeoutSeconds", 60) <= 3600:
        problem = "timeout must be 1 to 3600 seconds"
    if problem:
        raise ApiError(400, f"Could not create or update Cloud Run service {name}: {problem}.")


def memory_of(config: dict[str, Any]) -> float:
    """Read availableMemory in bytes; the default is 256M."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kMG]i?|)", config.get("availableMemory", "256M"))
    if match is None:
        raise ApiError(400, f"Invalid memory: {config['availableMemory']}.")
    # Functions reads 256M as 256 MiB.
    unit = match[2] + "i" if match[2] in ("M", "G") else match[2]
    return float(match[1]) * _UNITS[unit]


def cpu_of(config: dict[str, Any]) -> float:
    """Read availableCpu in vCPU; the default depends on the memory."""
    text = config.get("availableCpu")
    if text is None:
        memory = memory_of(config)
        return next((cpu for size, cpu in _CPU_BY_MEMORY if memory <= size * _MIB), 8.0)
    match = re.fullmatch(r"(\d*\.?\d+)(m?)", text)
    if match is None:
        raise ApiError(400, f"Invalid cpu: {text}.")
    return float(match[1]) / (1000 if match[2] else 1)
