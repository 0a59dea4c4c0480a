"""Against the real Hugging Face Trainer, with a tiny BERT that is made here."""

from __future__ import annotations

import pytest
import torch

from ltviz.recording import Recording

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def transformers(installed):
    installed("accelerate")
    return installed("transformers")


class Sentences(torch.utils.data.Dataset):
    """48 sentences of 6 tokens; a class is the token that comes most often."""

    def __init__(self) -> None:
        draw = torch.Generator().manual_seed(0)
        self.labels = torch.arange(48) % 3
        self.ids = torch.randint(5, 20, (48, 6), generator=draw)
        self.ids[:, :3] = self.labels[:, None] + 1

    def __len__(self) -> int:
        return 48

    def __getitem__(self, i: int) -> dict:
        return {"input_ids": self.ids[i], "attention_mask": torch.ones(6, dtype=torch.long), "labels": self.labels[i]}


def pooled(model, batch):
    return model.bert(batch["input_ids"], batch["attention_mask"]).last_hidden_state[:, 0]


def train(transformers, folder, callbacks, **given):
    transformers.set_seed(0)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=3,
        max_position_embeddings=8,
    )
    model = transformers.BertForSequenceClassification(config)
    args = transformers.TrainingArguments(
        str(folder),
        num_train_epochs=2,
        per_device_train_batch_size=8,
        per_device_eval_batch_size=7,
        learning_rate=1e-2,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        **given,
    )
    transformers.Trainer(model=model, args=args, train_dataset=Sentences(), callbacks=callbacks).train()
    return model


def test_training_is_the_same_bit_for_bit_and_is_seen(transformers, tmp_path):
    from ltviz.integrations.transformers import LtvizCallback

    alone = train(transformers, tmp_path / "a", [])
    watch = LtvizCallback(tmp_path / "run", Sentences(), every=4, embed=pooled, class_names=["one", "two", "three"])
    seen = train(transformers, tmp_path / "b", [watch])
    assert all(torch.equal(a, b) for a, b in zip(alone.state_dict().values(), seen.state_dict().values(), strict=True))
    recording = Recording(tmp_path / "run")
    assert recording.steps() == [0, 4, 8, 12] and recording.status().state == "finished"
    assert (recording.info.class_names, recording.info.dim) == (["one", "two", "three"], 16)
    frame = recording.frame(12)
    seen.eval()
    with torch.no_grad():
        data = Sentences()
        z = pooled(seen, {"input_ids": data.ids, "attention_mask": torch.ones(48, 6, dtype=torch.long)})
    expected = torch.nn.functional.normalize(z, dim=1)
    torch.testing.assert_close(torch.from_numpy(frame.embeddings), expected, rtol=1e-4, atol=1e-4)


def test_steps_are_those_of_the_optimiser(transformers, tmp_path):
    from ltviz.integrations.transformers import LtvizCallback

    watch = LtvizCallback(tmp_path / "run", Sentences(), every=2, embed=pooled)
    train(transformers, tmp_path / "a", [watch], gradient_accumulation_steps=3)
    assert Recording(tmp_path / "run").steps() == [0, 2, 4]
