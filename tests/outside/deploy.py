"""Reads the files of `deploy/` with what was made elsewhere, and does what they say.

    deploy.py kubernetes-schema VERSION FILE...         the published schemas of that version of Kubernetes, strictly
    deploy.py kubernetes-closed FILE...                 what the restricted Pod Security Standard asks for, and more
    deploy.py kubernetes-run MATRIX MERGE RESULTS       what each container would run, with RESULTS for the volume

Ends with 1, and says why, if a file is not what it should be; `kubernetes-run` with what the last container ends with.
"""

import os
import re
import subprocess
import sys

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


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    globals()[verb.replace("-", "_")](*arguments)
