"""`make fuzz`: many programs of one seed. ARGS="--seed 7 --count 100000 --kind workflow"."""

from __future__ import annotations

import argparse
import random
import sys

from tests.differential.comparing import BATCH, Difference, differences
from tests.differential.kinds import body_of


def main() -> int:
    """Print each difference once by its shortest program; 1 when there are any."""
    options = argparse.ArgumentParser(prog="make fuzz")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options.add_argument("--count", type=int, default=50_000)
    options.add_argument("--kind", default="function", choices=["function", "process", "workflow"])
    asked = options.parse_args()
    sys.stdout.write(f"seed {asked.seed}, {asked.count} programs in a {asked.kind}\n")
    rng = random.Random(asked.seed)
    found: dict[tuple[str, str], Difference] = {}
    for _ in range(0, asked.count, BATCH):
        for each in differences([body_of(rng) for _ in range(BATCH)], asked.kind):
            told = each.ours, each.plain
            found[told] = min(found.get(told, each), each, key=lambda d: len(d.body))
    for each in sorted(found.values(), key=lambda d: len(d.body)):
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(f"{len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
