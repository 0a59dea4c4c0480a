"""Against the real Lightning."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader

from ltviz.recording import Recording

from .conftest import Net

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own, on workers and loggers


@pytest.fixture
def lightning(installed):
    return installed("lightning.pytorch")


def fit(lightning, samples, callbacks, **given):
    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = Net()

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            return torch.nn.functional.cross_entropy(self.net.head(self(batch[0])), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    lightning.seed_everything(0, verbose=False)
    module = Module()
    settings = {"max_epochs": 3, "accelerator": "cpu", "devices": 1, "logger": False, "enable_checkpointing": False}
    settings |= {"enable_progress_bar": False, "enable_model_summary": False, "callbacks": callbacks}
    resume, keep = given.pop("ckpt_path", None), given.pop("keep", None)
    trainer = lightning.Trainer(**{**settings, **given})
    trainer.fit(module, DataLoader(samples, 8, shuffle=True), ckpt_path=resume)
    if keep:
        trainer.save_checkpoint(keep)
    return module


def callback(path, samples, **given):
    from ltviz.integrations.lightning import LtvizCallback

    return LtvizCallback(path, DataLoader(samples, 20, shuffle=True), **given)


def test_training_is_the_same_bit_for_bit_and_is_seen(lightning, samples, tmp_path):
    alone = fit(lightning, samples, [])
    seen = fit(lightning, samples, [callback(tmp_path / "run", samples, every=5)])
    assert all(torch.equal(a, b) for a, b in zip(alone.state_dict().values(), seen.state_dict().values(), strict=True))
    recording = Recording(tmp_path / "run")
    assert recording.steps() == [0, 5, 10, 15, 20, 24] and recording.status().state == "finished"
    assert recording.info.counts == [16, 16, 16, 16]
    seen.eval()
    with torch.no_grad():
        z = torch.nn.functional.normalize(seen(samples.tensors[0]), dim=1)
    by_class = [z[samples.tensors[1] == c].sum(0) for c in range(4)]
    frame = recording.frame(24)
    found = [torch.from_numpy(frame.embeddings[frame.labels == c]).sum(0) for c in range(4)]
    torch.testing.assert_close(torch.stack(found), torch.stack(by_class), rtol=1e-4, atol=1e-4)


def test_steps_are_those_of_the_optimiser(lightning, samples, tmp_path):
    fit(lightning, samples, [callback(tmp_path / "run", samples, every=4)], accumulate_grad_batches=2)
    assert Recording(tmp_path / "run").steps() == [0, 4, 8, 12]


def test_embed_is_asked_where_it_is_given(lightning, samples, tmp_path):
    fit(
        lightning,
        samples,
        [callback(tmp_path / "run", samples, every=100, embed=lambda module, batch: module.net.body(batch[0]))],
        max_epochs=1,
    )
    assert Recording(tmp_path / "run").info.dim == 16 and Recording(tmp_path / "run").steps() == [0, 8]


def test_a_training_that_fails_says_so(lightning, samples, tmp_path):
    class Stop(lightning.Callback):
        def on_train_batch_end(self, trainer, *_):
            if trainer.global_step == 3:
                raise ZeroDivisionError("no more")

    with pytest.raises(ZeroDivisionError):
        fit(lightning, samples, [callback(tmp_path / "run", samples, every=2), Stop()])
    status = Recording(tmp_path / "run").status()
    assert status.state == "failed" and "no more" in (status.reason or "")


def test_a_training_that_goes_on_from_a_checkpoint_goes_on_with_its_run(lightning, samples, tmp_path):
    kept = tmp_path / "kept.ckpt"
    fit(lightning, samples, [callback(tmp_path / "run", samples, every=3)], max_epochs=1, keep=kept)
    assert Recording(tmp_path / "run").steps() == [0, 3, 6, 8]
    fit(lightning, samples, [callback(tmp_path / "run", samples, every=3)], max_epochs=2, ckpt_path=kept)
    assert Recording(tmp_path / "run").steps() == [0, 3, 6, 8, 9, 12, 15, 16]
    assert Recording(tmp_path / "run").bad_frames() == []
