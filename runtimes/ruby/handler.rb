# frozen_string_literal: true

module AwsLambda
  # How events become values and values become answers. AWS lets functions put their own methods here.
  class Marshaller
    class << self
      def marshall_request(raw_request)
        JSON.parse(raw_request.body)
      end

      # What is read from leaves as the bytes it gives.
      def marshall_response(method_response)
        case method_response
        when StringIO, IO then [method_response, "application/unknown"]
        else method_response.to_json
        end
      end
    end
  end
end

# Finds and calls what a handler names: `file.method`, or `file.Module::Class.method`. Messages about methods that are not there
# name this class, as on AWS.
class LambdaHandler
  attr_reader :handler_file_name

  def initialize(env_handler:)
    parts = env_handler.split(".")
    unless [2, 3].include?(parts.size)
      raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where " \
                           "FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an optional " \
                           "module/class namespace and METHOD is a callable method. If using CLASS, METHOD must be a " \
                           "class-level method."
    end
    @handler_file_name = parts.first
    @handler_class = parts[1] if parts.size == 3
    @handler_method_name = parts.last
  end

  def call_handler(request:, context:)
    arguments = { event: request, context: context }
    response =
      if @handler_class
        Kernel.const_get(@handler_class).send(@handler_method_name, **arguments)
      else
        __send__(@handler_method_name, **arguments)
      end
    AwsLambda::Marshaller.marshall_response(response)
  end
end
