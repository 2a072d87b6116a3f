%% The application's start.
-module(distlab_probe_app).
-behaviour(application).

-export([start/2, stop/1]).

-spec start(application:start_type(), term()) -> {ok, pid()} | {error, term()}.
start(_Type, _Arguments) ->
    distlab_probe_sup:start_link().

-spec stop(term()) -> ok.
stop(_State) ->
    distlab_probe_log:remove().
