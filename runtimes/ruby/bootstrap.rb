# frozen_string_literal: true

# The Ruby runtime inside an execution environment.
#
# It starts without a function: it opens its listening sockets in its own network and hands them out, says that it is ready,
# and waits to be told which function to become.

require "json"
require "logger"
require "socket"
require "stringio"

require_relative "context"
require_relative "errors"
require_relative "handler"
require_relative "log"

# AWS: functions find it loaded.
autoload :Net, "net/http"

module Cumulet
  BEGIN_FRAME = 1
  INVOKE = 2
  READY = 0x81
  INITIALIZED = 0x82
  INIT_ERROR = 0x83
  RESPONSE = 0x84
  ERROR = 0x85
  FATAL = 0x86
  CHANNEL_FD = 3

  # Frames: length, kind, body.
  class Channel
    def initialize(descriptor)
      @socket = UNIXSocket.for_fd(descriptor)
      @socket.close_on_exec = true
    end

    def receive
      head = @socket.read(5)
      # The platform is gone: so is the reason to be here.
      exit!(0) if head.nil? || head.bytesize < 5
      length, kind = head.unpack("NC")
      [kind, length.zero? ? +"" : @socket.read(length)]
    end

    def send(kind, body = "")
      @socket.write([body.bytesize, kind].pack("NC"), body)
    end
  end

  # What an invocation came with, as `AwsLambda::Marshaller` is given it.
  Request = Struct.new(:header, :body) do
    def [](name)
      name.casecmp?("Content-Type") ? "application/json" : nil
    end
  end

  module Runtime
    class << self
      def main
        hand_over_listeners
        @channel = Channel.new(CHANNEL_FD)
        Log.open
        @channel.send(READY)
        kind, body = @channel.receive
        exit!(1) unless kind == BEGIN_FRAME
        @configuration = JSON.parse(body.force_encoding(Encoding::UTF_8))
        become
        begin
          @handler = LambdaHandler.new(env_handler: @configuration["handler"])
          require @handler.handler_file_name
        rescue Exception => error # rubocop:disable Lint/RescueException -- whatever ends an init is its error
          fail_init(error)
        end
        @channel.send(INITIALIZED)
        serve
      end

      private

      # Speaks as a Node.js child process does with its parent: one line of JSON with the descriptor attached.
      def hand_over_listeners
        wanted = ENV.delete("CUMULET_LISTEN")
        descriptor = ENV.delete("NODE_CHANNEL_FD")
        ENV.delete("NODE_CHANNEL_SERIALIZATION_MODE")
        return if wanted.nil? || descriptor.nil?

        parent = UNIXSocket.for_fd(descriptor.to_i)
        wanted.split(",").each do |entry|
          name, port = entry.split("=")
          listener = TCPServer.new("127.0.0.1", port.to_i)
          listener.listen(511)
          message = JSON.generate({ "cmd" => "NODE_HANDLE", "type" => "net.Server", "msg" => { "listener" => name } })
          parent.sendmsg("#{message}\n", 0, nil, Socket::AncillaryData.unix_rights(listener))
          parent.gets("\n")
          listener.close
        end
        parent.close
      end

      def become
        environment = @configuration["environment"]
        environment.each { |name, value| ENV[name] = value }
        task_root = @configuration["taskRoot"]
        Dir.chdir(task_root)
        libraries = environment.fetch("RUBYLIB", "").split(":").reject(&:empty?)
        $LOAD_PATH.unshift(*([task_root] + libraries).uniq)
        use_gems(environment.fetch("GEM_PATH", "").split(":").reject(&:empty?))
        Log.configure(@configuration["logFormat"], environment["AWS_LAMBDA_LOG_LEVEL"])
      end

      # Gems of the package and of layers lie in folders of the version that the function asks for; where another stands in,
      # also those made for that one are found.
      def use_gems(folders)
        own = RbConfig::CONFIG["ruby_version"]
        also = folders.map { |folder| folder.sub(%r{/\d+\.\d+\.\d+\z}, "/#{own}") }
        home = ENV.fetch("GEM_HOME", nil)
        Gem.paths = { "GEM_HOME" => home, "GEM_PATH" => (folders + also + Gem.default_path).uniq.join(":") }
      end

      def fail_init(error)
        document = Errors.describe(error, "Init")
        Log.write_error("Init error when loading handler #{@configuration["handler"]}", document)
        @channel.send(INIT_ERROR, JSON.generate(document))
        exit!(252)
      end

      def serve
        loop do
          kind, body = @channel.receive
          exit!(1) unless kind == INVOKE
          length = body.unpack1("N")
          header = JSON.parse(body.byteslice(4, length).force_encoding(Encoding::UTF_8))
          invoke(header, body.byteslice(4 + length, body.bytesize).force_encoding(Encoding::UTF_8))
        end
      end

      def invoke(header, payload)
        $_global_aws_request_id = header["requestId"]
        ENV["_X_AMZN_TRACE_ID"] = header["traceId"]
        request = AwsLambda::Marshaller.marshall_request(Request.new(header, payload))
        answer, type = @handler.call_handler(request: request, context: LambdaContext.new(@configuration, header))
        answer = answer.read if type == "application/unknown"
        @channel.send(RESPONSE, answer)
      rescue NameError => error
        # AWS: with what is not there the runtime ends, too.
        fail_for_good(error)
      rescue StandardError => error
        document = Errors.describe(error, "Function")
        Log.write_error("Error raised from handler method", document)
        @channel.send(ERROR, JSON.generate(document))
      rescue Exception => error # rubocop:disable Lint/RescueException -- AWS tells every way to end as an error
        fail_for_good(error)
      end

      def fail_for_good(error)
        document = Errors.describe(error, "Function")
        Log.write_error("Critical exception from handler", document)
        @channel.send(FATAL, JSON.generate(document))
        exit(255)
      end
    end
  end
end

Cumulet::Runtime.main
