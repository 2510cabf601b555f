"""verifiers' own `nemo-gym`, over questions and a resource server of the test's."""

import json

from support.runs import call, episodes


def routes(right):
    """Of its resource server, for `PolicyServer(posts=…)`; `right`: text of a reply -> bool."""

    def verify(body):
        text = body["response"]["output"][-1]["content"][0]["text"]
        return {**body, "reward": float(right(text))}

    return {"/verify": verify, "/seed_session": lambda body: {}}


def play(server, questions, env, *options, cwd):
    """Real `vf-eval`; its episodes. `env`: the lines of the config's table of that name."""
    rows = [
        {"responses_create_params": {"input": [{"role": "user", "content": question}]}}
        for question in questions
    ]
    (cwd / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (cwd / "run.toml").write_text(
        f"""
        [env]
        {env}
        [env.taskset]
        id = "nemo-gym"
        dataset = "rows.jsonl"
        task.resources_url = "{server.base_url.removesuffix("/v1")}"
        """
    )
    done = call(
        *("vf-eval", "@", "run.toml", "-m", "policy", "--client.base-url", server.base_url),
        *("--no-push", "--no-rich", "--run.name", "run", *options),
        cwd=cwd,
    )
    assert done.code == 0, done.err
    return episodes(cwd / "outputs" / "run")
