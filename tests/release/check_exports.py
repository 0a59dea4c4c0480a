"""Exports demo runs and reads them back with the real TensorBoard, Rerun, embedding-atlas and pandas.

Called without arguments it makes an environment of its own and runs itself there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from own_environment import ROOT, extra, own_environment

RUNS = ("demo-ce", "demo-bcl")
ATLAS_SECONDS = 120.0


def main() -> None:
    if len(sys.argv) > 1:
        read_back(Path(sys.argv[1]))
        return
    began = time.monotonic()
    wanted = [*extra("tools"), "pandas", "embedding-atlas"]
    with own_environment(wanted) as (python, variables), tempfile.TemporaryDirectory() as folder:
        variables["LTVIZ_HOME"] = str(ROOT / "checkpoints")
        subprocess.run([python, __file__, folder], env=variables, check=True)
    print(f"other tools read what ltviz exports, in {time.monotonic() - began:.0f} s")


def export(folder: Path, to: str, name: str, *runs: str) -> Path:
    """Exports runs; gives the path."""
    command = [sys.executable, "-m", "ltviz", "export", *runs, "--to", to, "--out", str(folder / name)]
    subprocess.run(command, check=True)
    return folder / name


def read_back(folder: Path) -> None:
    from ltviz.recording import Recording

    recordings = {name: Recording(ROOT / "checkpoints" / name) for name in RUNS}
    check_tensorboard(folder, recordings)
    check_rerun(folder, recordings)
    check_pandas(folder, recordings)
    check_atlas(folder, recordings)


def check_tensorboard(folder: Path, recordings: dict[str, Any]) -> None:
    from google.protobuf import text_format
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.plugins.projector import projector_config_pb2

    one = EventAccumulator(str(export(folder, "tensorboard", "one", RUNS[0]))).Reload()
    wanted = {step: m["centre_sum"] for step, m in recordings[RUNS[0]].frame_metrics().items()}
    read = {event.step: event.value for event in one.Scalars("measures/centre_sum")}
    assert read.keys() == wanted.keys() and all(abs(read[step] - wanted[step]) < 1e-6 for step in wanted)
    assert any(tag.startswith("loss/") for tag in one.Tags()["scalars"])
    both = EventMultiplexer().AddRunsFromDirectory(str(export(folder, "tensorboard", "both", *RUNS))).Reload()
    assert set(both.Runs()) == {*RUNS}, both.Runs()
    made = export(folder, "projector", "projector", RUNS[0])
    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse((made / "projector_config.pbtxt").read_text(), config)
    tensors = (made / config.embeddings[0].tensor_path).read_text().splitlines()
    metadata = (made / config.embeddings[0].metadata_path).read_text().splitlines()
    assert len(metadata) == len(tensors) + 1 == len(recordings[RUNS[0]].last().embeddings) + 1
    print(f"TensorBoard: {len(wanted)} values of centre_sum, 2 runs, a projector folder of {len(tensors)} points")


def check_rerun(folder: Path, recordings: dict[str, Any]) -> None:
    from rerun.chunk import RrdReader

    path = export(folder, "rerun", "both.rrd", *RUNS)
    steps: dict[str, set[int]] = {}
    for chunk in RrdReader(str(path)).stream():
        batch = chunk.to_record_batch()
        if "step" in batch.schema.names:
            steps.setdefault(str(chunk.entity_path), set()).update(batch.column("step").to_pylist())
    for name, recording in recordings.items():
        assert steps[f"/{name}/points"] == set(recording.steps()), (name, sorted(steps)[:20])
        assert steps[f"/{name}/measures/centre_sum"] == set(recording.steps())
    print(f"Rerun: {len(steps)} entities on the timeline step")


def check_pandas(folder: Path, recordings: dict[str, Any]) -> None:
    import pandas as pd

    for to, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        table = read(export(folder, to, f"table.{to}", *RUNS))
        rows = table[(table["run_id"] == RUNS[1])].set_index("step")["centre_sum"].dropna()
        wanted = {step: m["centre_sum"] for step, m in recordings[RUNS[1]].frame_metrics().items()}
        assert rows.to_dict() == wanted, to
    print(f"pandas: {len(table)} rows from CSV and from Parquet")


def check_atlas(folder: Path, recordings: dict[str, Any]) -> None:
    import pandas as pd

    from ltviz.bench.served import free_port

    path = export(folder, "atlas", "points.parquet", *RUNS)
    table = pd.read_parquet(path)
    frames = [recording.last() for recording in recordings.values()]
    assert len(table) == sum(len(frame.embeddings) for frame in frames)
    assert table["vector"].map(len).eq(frames[0].embeddings.shape[1]).all()
    names = recordings[RUNS[0]].info.class_names
    assert table["label"][: len(frames[0].labels)].tolist() == [names[label] for label in frames[0].labels]
    port = free_port()
    tool = str(Path(sys.executable).parent / "embedding-atlas")
    flags = ["--x", "x", "--y", "y", "--vector", "vector", "--disable-projection", "--port", str(port)]
    server = subprocess.Popen([tool, str(path), *flags], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        told = wait_for(f"http://127.0.0.1:{port}/data/metadata.json", server)
    finally:
        server.terminate()
        server.wait(20)
    assert '"x"' in told and '"y"' in told, told[:500]
    print(f"embedding-atlas: {len(table)} points served with their places and class names")


def wait_for(address: str, server: subprocess.Popen) -> str:
    end = time.monotonic() + ATLAS_SECONDS
    while True:
        assert server.poll() is None, "embedding-atlas ended"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return json.dumps(json.load(answer))
        except OSError:
            assert time.monotonic() < end, f"{address} did not answer"
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
