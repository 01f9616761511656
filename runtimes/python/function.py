"""Finds the function that a handler names: `folder/module.function`."""

import importlib
import sys


class LoadError(Exception):
    def __init__(self, error_type, message, stack_trace=()):
        super().__init__(message)
        self.document = {
            "errorMessage": message,
            "errorType": error_type,
            "requestId": "",
            "stackTrace": list(stack_trace),
        }


def load(handler):
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise LoadError("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (handler, error)) from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise LoadError(
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module %s as a handler module" % module_name,
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise LoadError("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error)) from None
    except SyntaxError as error:
        where = '  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise LoadError("Runtime.UserCodeSyntaxError", message, [where]) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise LoadError("Runtime.HandlerNotFound", message) from None
