%% The entry of `erl -s distlab_probe`: starts the probe, without which the node is of no use to
%% the run and ends.
-module(distlab_probe).

-export([start/0]).

-spec start() -> ok.
start() ->
    case application:ensure_all_started(distlab_probe, permanent) of
        {ok, _} ->
            ok;
        {error, Reason} ->
            io:format(standard_error, "distlab_probe: cannot start: ~0p~n", [Reason]),
            halt(1, [{flush, false}])
    end.
