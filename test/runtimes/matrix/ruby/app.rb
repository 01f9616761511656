# frozen_string_literal: true

STARTED = Time.now.to_f

def handler(event:, context:)
  case event["do"]
  when "fail" then raise ArgumentError, "boom"
  when "wait" then sleep 20
  when "crash"
    Process.kill(:KILL, Process.pid)
    sleep 20
  when "exit" then exit!(3)
  when "hoard"
    kept = []
    loop { kept << ("x" * 8_388_608) }
  when "text" then "x" * (event["length"] - 2)
  when "count" then event["text"].size
  when "env" then %w[MINE AWS_EXECUTION_ENV _HANDLER].map { |name| ENV.fetch(name) }
  when "layer"
    require "from_layer"
    FromLayer::SAID
  when "tmp"
    File.open("/tmp/kept", "a") { |kept| kept << "x" }
    File.size("/tmp/kept")
  when "started" then STARTED
  else event
  end
end
