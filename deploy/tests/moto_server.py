"""moto's server, with what its CloudFormation lacks for the template.

It makes aliases, function URLs and stages too, by moto's own Lambda and API Gateway, has the attribute that a version
has, gives a stack that a change set made its outputs, and knows a change set that changes nothing.
"""

import sys

from moto.apigateway.models import apigateway_backends
from moto.awslambda.exceptions import UnknownAliasException
from moto.awslambda.models import LambdaVersion, lambda_backends
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.core.common_models import CloudFormationModel
from moto.server import main


def parts(function):
    """The function's name and, of a version or an alias, that."""
    words = function.split(":")
    return (words[6], words[7] if len(words) > 7 else None) if len(words) > 6 else (function, None)


# moto reads a service in the second word.
MODULE = "moto.deploy"


class Resource(CloudFormationModel):
    """What CloudFormation has of a resource: its properties, and what `Ref` and `Fn::GetAtt` say."""

    __module__ = MODULE

    def __init__(self, physical_resource_id, attributes=None):
        self.physical_resource_id = physical_resource_id
        self.attributes = attributes or {}

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        return self.attributes[attribute_name]

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "None"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return cls.make(cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(cls, old, new_name, cloudformation_json, account_id, region_name, **_):
        return cls.make(cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        """Goes with its function or its API."""


class Alias(Resource, CloudFormationModel):
    __module__ = MODULE

    @staticmethod
    def cloudformation_type():
        return "AWS::Lambda::Alias"

    @classmethod
    def make(cls, properties, account_id, region_name):
        backend = lambda_backends[account_id][region_name]
        function, _ = parts(properties["FunctionName"])
        arguments = (properties["Name"], function, properties["FunctionVersion"], "", None)
        try:
            backend.get_alias(properties["Name"], function)
        except UnknownAliasException:
            return cls(backend.create_alias(*arguments).arn)
        return cls(backend.update_alias(*arguments).arn)


class Url(Resource, CloudFormationModel):
    __module__ = MODULE

    @staticmethod
    def cloudformation_type():
        return "AWS::Lambda::Url"

    @classmethod
    def make(cls, properties, account_id, region_name):
        function, _ = parts(properties["TargetFunctionArn"])
        assert properties["Qualifier"] == "live"
        config = lambda_backends[account_id][region_name].create_function_url_config(function, properties)
        return cls(config.function.function_arn, {"FunctionUrl": config.url})


class Stage(Resource, CloudFormationModel):
    __module__ = MODULE

    @staticmethod
    def cloudformation_type():
        return "AWS::ApiGateway::Stage"

    @classmethod
    def make(cls, properties, account_id, region_name):
        backend = apigateway_backends[account_id][region_name]
        # What moto gives for a reference to it.
        deployment = properties["DeploymentId"]
        backend.create_stage(properties["RestApiId"], properties["StageName"], deployment.id)
        return cls(properties["StageName"])


def version_attribute(self, name):
    return str(self.version)


def execute_change_set(self, change_set_name, stack_name=None, execute=CloudFormationBackend.execute_change_set):
    execute(self, change_set_name, stack_name)
    [stack] = self.describe_stacks(stack_name)
    stack._parse_template()
    stack.output_map = stack._create_output_map()


def has_parameters(self, parameters):
    return all(str(self.stack_parameters.get(name)) == str(value) for name, value in parameters.items())


Stack.has_parameters = has_parameters
CloudFormationBackend.execute_change_set = execute_change_set
LambdaVersion.has_cfn_attr = classmethod(lambda cls, attr: attr == "Version")
LambdaVersion.get_cfn_attribute = version_attribute
LambdaVersion.physical_resource_id = property(lambda self: str(self.version))

if __name__ == "__main__":
    main(sys.argv[1:])
