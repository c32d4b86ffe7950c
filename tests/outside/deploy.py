"""Reads the files of `deploy/` with what was made elsewhere, and does what they say.

    deploy.py kubernetes-schema VERSION FILE...         the published schemas of that version of Kubernetes, strictly
    deploy.py kubernetes-closed FILE...                 what the restricted Pod Security Standard asks for, and more
    deploy.py kubernetes-run MATRIX MERGE RESULTS       what each container would run, with RESULTS for the volume
    deploy.py schema NAME FILE                          a schema that check-jsonschema carries
    deploy.py groovy FILE                               the grammar of Groovy 3: no more can be had without a Jenkins
    deploy.py compose FILE                              whether its console answers by its name
    deploy.py example SYSTEM FILE FOLDER [ACTION]       what each job of a CI system would run, in folders of its own, and
                                                        then the job that merges; FOLDER/suite is the suite

Ends with 1, and says why, if a file is not what it should be; `kubernetes-run` and `example` with what the last container, or line, ends with.
"""

import glob
import http.client
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

import yaml


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def kubernetes_schema(version, *paths):
    import kubernetes_validate

    for path in paths:
        for document in documents(path):
            name = f"{path}: {document.get('kind')}"
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                where = ".".join(str(step) for step in error.path)
                sys.exit(f"{name}: {where}: {error.message}")


def pods(paths):
    for path in paths:
        for document in documents(path):
            if document["kind"] == "Job":
                yield f"{path}: {document['metadata']['name']}", document["spec"]["template"]["spec"]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def kubernetes_closed(*paths):
    """As https://kubernetes.io/docs/concepts/security/pod-security-standards/ has it, from memory; and what nobody needs."""
    wrong = []
    for name, pod in pods(paths):
        context = pod.get("securityContext", {})
        host = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
        asked = {
            "runAsNonRoot": context.get("runAsNonRoot") is True,
            "a user that is not 0": context.get("runAsUser", 0) > 0,
            "seccompProfile": context.get("seccompProfile", {}).get("type") == "RuntimeDefault",
            "no token": pod.get("automountServiceAccountToken") is False,
            "nothing of the host": not host,
            "no volume of the host": all("hostPath" not in volume for volume in pod["volumes"]),
        }
        for container in containers(pod):
            own = container.get("securityContext", {})
            of = container["name"]
            asked |= {
                f"{of}: no more privileges": own.get("allowPrivilegeEscalation") is False,
                f"{of}: a read-only root": own.get("readOnlyRootFilesystem") is True,
                f"{of}: no capability": own.get("capabilities") == {"drop": ["ALL"]},
                f"{of}: not privileged": not own.get("privileged"),
                f"{of}: a limit for memory": "memory" in container.get("resources", {}).get("limits", {}),
                f"{of}: a request": "cpu" in container.get("resources", {}).get("requests", {}),
                f"{of}: no `latest`": re.fullmatch(r".+:(?!latest$)[\w.-]+", container["image"]) is not None,
            }
        wrong += [f"{name}: {what}" for what, is_so in asked.items() if not is_so]
    if wrong:
        sys.exit("\n".join(wrong))


def expanded(text, variables):
    """`$(NAME)` as Kubernetes puts it in: what is unknown stays, `$$` is a `$`."""
    known = lambda match: "$" if match[0] == "$$" else variables.get(match[1], match[0])
    return re.sub(r"\$\$|\$\(([A-Za-z_]\w*)\)", known, text)


def run_container(container, more):
    variables = {entry["name"]: entry["value"] for entry in container["env"]} | more
    words = [expanded(word, variables) for word in container["command"] + container["args"]]
    left = [word for word in words if "$(" in word]
    if left:
        sys.exit(f"not put in: {left}")
    environment = {"PATH": os.environ["PATH"], "NO_COLOR": "1"} | variables
    return subprocess.run(words, env=environment, check=False).returncode


def kubernetes_run(matrix, merge, results):
    """Pods of an indexed Job one after the other, then those of the Job that merges."""
    own = {"RESULTS": results + "/run-1", "TMPDIR": results, "FAULTDECK_HOME": results + "/home"}
    [job] = [document for document in documents(matrix) if document["kind"] == "Job"]
    spec = job["spec"]
    if spec["completionMode"] != "Indexed" or spec["completions"] != spec["parallelism"]:
        sys.exit("not an indexed Job whose pods run all at once")
    [container] = spec["template"]["spec"]["containers"]
    final = [rule["onExitCodes"]["values"] for rule in spec["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    for index in range(spec["completions"]):
        code = run_container(container, own | {"JOB_COMPLETION_INDEX": str(index)})
        if code not in [0, *final[0]]:
            sys.exit(f"part {index} would be run again after {code}")
    [(_, pod)] = pods([merge])
    for container in containers(pod):
        code = run_container(container, own)
        if code:
            break
    sys.exit(code)


def schema(name, path):
    transform = ["--data-transform", "gitlab-ci"] if name == "vendor.gitlab-ci" else []
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, *transform, path]
    sys.exit(subprocess.run(words, check=False).returncode)


def groovy(path):
    from groovy_parser.parser import parse_groovy_content

    with open(path, encoding="utf-8") as file:
        try:
            parse_groovy_content(file.read())
        except Exception as error:  # The parser has no class of its own for what it refuses.
            sys.exit(f"{path}: {error}")


def in_bash(lines, folder, variables):
    environment = os.environ | {"NO_COLOR": "1"} | variables
    return subprocess.run(["bash", "-eo", "pipefail", "-c", lines], cwd=folder, env=environment, check=False).returncode


def example(system, path, folder, action=None):
    """Each job has a folder of its own, as on another machine, and what it leaves is handed to the job that merges."""
    documents_of = None if system == "jenkins" else documents(path)[0]
    parts, left, merge = globals()[f"example_{system}"](documents_of, path, action)
    last = f"{folder}/merge"
    os.mkdir(last)
    for number, (variables, lines) in enumerate(parts):
        own = f"{folder}/job-{number}"
        os.makedirs(f"{own}/temp")
        shutil.copy(f"{folder}/suite", own)
        if system == "github":
            # As if the cache had it.
            os.makedirs(f"{own}/temp/faultdeck/bin")
            os.symlink(shutil.which("faultdeck"), f"{own}/temp/faultdeck/bin/faultdeck")
            variables = variables | {"RUNNER_TEMP": f"{own}/temp", "GITHUB_ACTIONS": "true"}
            variables |= {name: f"{own}/temp/{name}" for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        in_bash(lines, own, variables)
        for file in glob.glob(f"{own}/{left}"):
            os.makedirs(os.path.dirname(f"{last}/{os.path.relpath(file, own)}"), exist_ok=True)
            shutil.copy(file, f"{last}/{os.path.relpath(file, own)}")
    sys.exit(in_bash(merge, last, {"GITHUB_STEP_SUMMARY": f"{last}/summary.md"}))


def example_gitlab(jobs, _path, _action):
    part, merge = jobs["faultdeck"], jobs["faultdeck report"]
    total = part["parallel"]
    names = [{"CI_NODE_INDEX": str(index + 1), "CI_NODE_TOTAL": str(total)} for index in range(total)]
    [left] = part["artifacts"]["paths"]
    return [(name, "\n".join(part["script"])) for name in names], left, "\n".join(merge["script"])


def example_circleci(config, _path, _action):
    part, merge = config["jobs"]["part"], config["jobs"]["report"]
    lines = lambda job: "\n".join(step["run"]["command"] for step in job["steps"] if "run" in step)
    total = part["parallelism"]
    names = [{"CIRCLE_NODE_INDEX": str(index), "CIRCLE_NODE_TOTAL": str(total)} for index in range(total)]
    return [(name, lines(part)) for name in names], "parts/*", lines(merge)


def example_buildkite(pipeline, _path, _action):
    part, merge = pipeline["steps"]
    total = part["parallelism"]
    names = [{"BUILDKITE_PARALLEL_JOB": str(at), "BUILDKITE_PARALLEL_JOB_COUNT": str(total)} for at in range(total)]
    # The agent of Buildkite hands over what the others left; here that is done above.
    lines = [line for line in merge["command"] if not line.startswith(("buildkite-agent ", "rm -f part-"))]
    command = part["command"].replace("$$", "$")
    return [(name, command) for name in names], part["artifact_paths"], "\n".join(lines)


def example_jenkins(_none, path, _action):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # What clears a used workspace has nothing to clear here.
    lines = re.findall(r"^\s*sh '(?!rm -f part-)([^']*)'$", text, re.MULTILINE)
    values = re.search(r"values (.*)", text)[1]
    names = [{"PART": name} for name in re.findall(r"'([^']*)'", values)]
    return [(name, lines[0]) for name in names], "part-*.jsonl", "\n".join(lines[1:])


def put_in(text, values):
    """`${{ NAME }}` as GitHub puts it in; what is not known here is a mistake."""
    return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda match: str(values[match[1]]), str(text))


def example_github(workflow, _path, action):
    part, merge = workflow["jobs"]["part"], workflow["jobs"]["report"]
    [step] = [step for step in part["steps"] if "github-action" in step["uses"]]
    [composite] = documents(action)
    parts = []
    for number in part["strategy"]["matrix"]["part"]:
        own = {"matrix.part": number}
        inputs = {f"inputs.{name}": given.get("default", "") for name, given in composite["inputs"].items()}
        inputs |= {f"inputs.{name}": put_in(value, own) for name, value in step["with"].items()}
        known = inputs | {"github.action_path": os.path.dirname(action)}
        lines = ""
        for each in composite["runs"]["steps"]:
            # What fetches or builds is left out: the binary is where it would be.
            if "run" in each and "cargo install" not in each["run"]:
                # Each step has a shell of its own.
                lines += "(\n"
                outputs = {"steps.where.outputs.source": "", "steps.where.outputs.root": "$RUNNER_TEMP/faultdeck"}
                for name, value in each.get("env", {}).items():
                    value = put_in(value, known | outputs)
                    quoted = f'"{value}"' if value.startswith("$RUNNER_TEMP") else "'" + value.replace("'", "'\\''") + "'"
                    lines += f"export {name}={quoted}\n"
                lines += each["run"] + "\n)\n"
        parts.append(({}, lines))
    [lines] = [step["run"] for step in merge["steps"] if "run" in step]
    return parts, "part-*.jsonl", lines


def compose(path):
    """The console of a compose file answers by its service's name, and by no other."""
    services = documents(path)[0]["services"]
    command = [{"0.0.0.0:8080": "127.0.0.1:0"}.get(word, word) for word in services["qradar"]["command"]]
    console = urllib.parse.urlsplit(services["suite"]["environment"]["QRADAR_URL"])
    with subprocess.Popen(["faultdeck", *command], stdout=subprocess.PIPE, text=True) as served:
        try:
            at = urllib.parse.urlsplit(served.stdout.readline().strip())
            for host, status in [(console.netloc, 200), ("elsewhere:8080", 421)]:
                asks = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
                headers = {"Host": host, "SEC": services["suite"]["environment"]["QRADAR_TOKEN"]}
                asks.request("GET", "/api/forensics/case_management/case_create_tasks/956", headers=headers)
                if (came := asks.getresponse().status) != status:
                    sys.exit(f"{host}: {came}")
        finally:
            served.terminate()


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    globals()[verb.replace("-", "_")](*arguments)
