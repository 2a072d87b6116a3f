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
            io:format(standard_error, "distlab_probe: ~ts~n", [why(Reason)]),
            halt(1)
    end.

%% What the link says of itself, without what the supervisors wrap it in.
why({distlab_probe, {{shutdown, {failed_to_start_child, distlab_probe_link, Why}}, _}}) -> Why;
why(Reason) -> io_lib:format("cannot start: ~0p", [Reason]).
