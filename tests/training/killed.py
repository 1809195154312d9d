"""A training that its parent kills: python killed.py CHECKPOINT OUT REPLAY; run by test_checkpoint.py."""

import sys
from pathlib import Path

from shgat import TrainingConfig

sys.path.insert(0, str(Path(__file__).parent.parent))
from training import planted


def train(checkpoint, replay, **options):
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    config = TrainingConfig(epochs=4, batch_size=32, lr=3e-3, replay=replay)
    return model, model.fit(traces, config=config, checkpoint=checkpoint, **options)


if __name__ == "__main__":
    model, report = train(sys.argv[1], sys.argv[3], resume=True, on_epoch=lambda e: print(e.stage, e.number, flush=True))
    Path(sys.argv[2]).write_bytes(model.params.buffer.tobytes() + repr(report.losses).encode() + repr(report.td_errors).encode())
