"""Paths of a user's own data: absolute where they are read, and refused in one line."""

import re
from pathlib import Path

import pytest
from chart_spec.taskset import ChartSpecConfig
from inward_chat import ExistingFile, ExistingFolder
from inward_rewards.hidden_states import EntropyConfig
from math500_entropy.taskset import Math500EntropyConfig
from pydantic import TypeAdapter, ValidationError
from quality_rag.taskset import QualityRagConfig

FILE, FOLDER = TypeAdapter(ExistingFile), TypeAdapter(ExistingFolder)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "written", "found"),
    [
        (FILE, "file", "file"),
        (FILE, Path("file"), "file"),
        (FILE, "./folder/../file", "file"),
        (FILE, "~/file", "file"),
        (FOLDER, "folder", "folder"),
        (FOLDER, ".", "."),
        (FOLDER, "~", "."),
    ],
)
def test_a_path_becomes_absolute(home, kind, written, found):
    assert kind.validate_python(written) == home / found
    assert kind.validate_python(home / found) == home / found


@pytest.mark.parametrize(
    ("kind", "written", "says"),
    [
        (FILE, "", "the path is empty"),
        (FILE, "  ", "the path is empty"),
        (FILE, "nowhere", "no such file: 'nowhere'"),
        (FILE, "~/nowhere", "no such file: '~/nowhere'"),
        (FILE, "~nobody-of-that-name/x", "no such file: '~nobody-of-that-name/x'"),
        (FILE, "folder", "'folder' is a folder: name a file"),
        (FILE, "x" * 5000, "no such file: 'xxx"),
        (FILE, "a\0b", "no such file: 'a"),
        (FOLDER, "", "the path is empty"),
        (FOLDER, "nowhere", "no such folder: 'nowhere'"),
        (FOLDER, "file", "'file' is a file: name a folder"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(kind, written, says):
    with pytest.raises(ValidationError, match=re.escape(says)):
        kind.validate_python(written)


@pytest.mark.parametrize(
    ("config", "name"),
    [(QualityRagConfig, "file"), (Math500EntropyConfig, "file"), (ChartSpecConfig, "folder")],
)
def test_every_environment_saves_its_path_absolute(home, config, name):
    saved = config(path=name).model_dump_json()
    assert config.model_validate_json(saved).path == home / name
    assert str(home / name) in saved


@pytest.mark.parametrize(
    ("model", "saved"), [("folder", "{home}/folder"), ("org/name", "org/name")]
)
def test_a_models_folder_is_saved_absolute_and_a_name_is_left(home, model, saved):
    config = EntropyConfig(source="transformers", model=model)
    assert config.model == saved.format(home=home)
