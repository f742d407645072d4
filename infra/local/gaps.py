"""Adapts the template to features that the emulator lacks, without changing its meaning.

*Routes.* SAM puts the routes of an HTTP API into an OpenAPI document, the `Body` of the API, and the emulator ignores
that property. So each operation of the document becomes a `Route`, its function an `Integration` and each security
scheme an `Authorizer`, as on AWS.

*Secrets.* The emulator's `Ref` of a secret is its name, on AWS its ARN; and of
`GenerateSecretString` it reads only the length and the excluded characters.

*Batches.* On AWS `sqs:SendMessage` allows `SendMessageBatch` too (there is no action of that name); the emulator asks
for an action by the name of the call.

*Concurrency.* CloudFormation passes numeric parameters as text, and the emulator compares `MaximumConcurrency` without
conversion: its poller would stop for all queues.

*Rollout.* The emulator has no CodeDeploy. So functions have no alias, and everything calls the function itself.

*Alarms.* The emulator rejects metric math, so such an alarm watches its first metric. It has no data there anyway. An
alarm on a rule of Contributor Insights has no metric, and goes with the rule.

*Metric filters, saved queries, rules of Contributor Insights, budgets.* The emulator lacks them, so they go. It has no
metrics anyway.

*Mail.* The emulator checks every call of SES against the resource "*" and does not know `ses:FromAddress`, so the
role's identities become "*" and the condition goes.
"""

from __future__ import annotations

import re
import string
from typing import Any

from infra.local.say import Problem

Template = dict[str, Any]

LACKING = (
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::InsightRule",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
)
"""Types of resources that the emulator lacks, and that nothing else names."""


def bridge(template: Template) -> Template:
    """Return a template that means to the emulator what the given one means to AWS."""
    _spell_out_apis(template["Resources"])
    _remove_lacking(template["Resources"])
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            _widen_mail(resource["Properties"])
            _allow_batches(resource["Properties"])
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            _simplify_alarm(resource["Properties"])
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            _number_concurrency(resource["Properties"], template.get("Parameters", {}))
    secrets = [
        name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::SecretsManager::Secret"
    ]
    for name in secrets:
        _spell_out_generation(template["Resources"][name]["Properties"])
    return dict(_with_secret_arns(template, secrets))


def _remove_lacking(resources: Template) -> None:
    for name, resource in list(resources.items()):
        metrics = resource.get("Properties", {}).get("Metrics", [])
        has_no_metric = metrics and not any("MetricStat" in metric for metric in metrics)
        if resource["Type"] in LACKING or (resource["Type"] == "AWS::CloudWatch::Alarm" and has_no_metric):
            del resources[name]


def without_rollout(template: Template) -> Template:
    """Return a SAM template that publishes no versions."""
    functions = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    for properties in (template.get("Globals", {}).get("Function", {}), *functions):
        for name in ("AutoPublishAlias", "AutoPublishCodeSha256", "DeploymentPreference"):
            properties.pop(name, None)
    return dict(_with_functions_for_aliases(template))


def _with_functions_for_aliases(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_functions_for_aliases(item) for item in value]
    if not isinstance(value, dict):
        return value
    name = value.get("Ref")
    if isinstance(name, str) and name.endswith(".Alias"):
        return {"Fn::GetAtt": [name.removesuffix(".Alias"), "Arn"]}
    return {key: _with_functions_for_aliases(item) for key, item in value.items()}


def _spell_out_generation(properties: Template) -> None:
    generation = properties.get("GenerateSecretString")
    if generation and generation.pop("ExcludePunctuation", False):
        generation["ExcludeCharacters"] = generation.get("ExcludeCharacters", "") + string.punctuation


def _widen_mail(role: Template) -> None:
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if all(action.startswith("ses:") for action in actions):
                statement["Resource"] = "*"
                statement.get("Condition", {}).get("StringEquals", {}).pop("ses:FromAddress", None)


def _allow_batches(role: Template) -> None:
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if "sqs:SendMessage" in actions:
                statement["Action"] = [*actions, "sqs:SendMessageBatch"]


def _simplify_alarm(alarm: Template) -> None:
    for metric in alarm.pop("Metrics", []):
        if "MetricStat" in metric and "MetricName" not in alarm:
            watched = metric["MetricStat"]
            alarm.update(watched["Metric"], Statistic=watched["Stat"], Period=watched["Period"])


def _number_concurrency(trigger: Template, parameters: Template) -> None:
    scaling = trigger.get("ScalingConfig", {})
    concurrency = scaling.get("MaximumConcurrency")
    if isinstance(concurrency, dict):
        scaling["MaximumConcurrency"] = int(parameters[concurrency["Ref"]]["Default"])


def _with_secret_arns(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, list):
        return [_with_secret_arns(item, secrets) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("Ref") in secrets:
        return {"Fn::GetAtt": [value["Ref"], "Id"]}
    return {key: _with_secret_arns(item, secrets) for key, item in value.items()}


def _spell_out_apis(resources: Template) -> None:
    apis = [name for name, resource in resources.items() if resource["Type"] == "AWS::ApiGatewayV2::Api"]
    for api in apis:
        properties = resources[api]["Properties"]
        body = properties.pop("Body")
        properties.pop("FailOnWarnings", None)  # only controls the import of the document
        properties.update(Name=body["info"]["title"], ProtocolType="HTTP")
        resources.update(_authorizers(api, body))
        resources.update(_routes(api, body))


def _authorizers(api: str, body: Template) -> Template:
    schemes = body.get("components", {}).get("securitySchemes", {})
    return {f"{api}{_word(name)}": _authorizer(api, name, scheme) for name, scheme in schemes.items()}


def _authorizer(api: str, name: str, scheme: Template) -> Template:
    extension = scheme["x-amazon-apigateway-authorizer"]
    if extension["type"] != "request":
        raise Problem(f"the local stack supports Lambda authorizers only; {name} is of type {extension['type']}")
    return {
        "Type": "AWS::ApiGatewayV2::Authorizer",
        "Properties": {
            "ApiId": {"Ref": api},
            "Name": name,
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": extension["authorizerUri"],
            "AuthorizerPayloadFormatVersion": extension["authorizerPayloadFormatVersion"],
            "EnableSimpleResponses": extension.get("enableSimpleResponses", False),
            "IdentitySource": extension["identitySource"],
            "AuthorizerResultTtlInSeconds": extension.get("authorizerResultTtlInSeconds", 300),
        },
    }


def _routes(api: str, body: Template) -> Template:
    resources: Template = {}
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            integration = _integration(api, operation["x-amazon-apigateway-integration"])
            integration_id = f"{api}Integration{_word(str(integration['Properties']['IntegrationUri']))}"
            resources[integration_id] = integration
            resources[f"{api}Route{_word(f'{method}{path}')}"] = {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": api},
                    "RouteKey": _route_key(method, path),
                    "Target": {"Fn::Sub": f"integrations/${{{integration_id}}}"},
                    **_authorization(api, operation),
                },
            }
    return resources


def _integration(api: str, extension: Template) -> Template:
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": api},
            "IntegrationType": "AWS_PROXY",
            "IntegrationMethod": extension["httpMethod"],
            "IntegrationUri": extension["uri"],
            "PayloadFormatVersion": extension["payloadFormatVersion"],
        },
    }


def _authorization(api: str, operation: Template) -> Template:
    names = [name for requirement in operation.get("security", []) for name in requirement if name != "NONE"]
    if not names:
        return {"AuthorizationType": "NONE"}
    return {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": f"{api}{_word(names[0])}"}}


def _route_key(method: str, path: str) -> str:
    if path == "/$default":
        return "$default"
    return f"{'ANY' if method == 'x-amazon-apigateway-any-method' else method.upper()} {path}"


def _word(text: str) -> str:
    """A logical id: letters and digits only, with each part capitalised."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))
