%% What OTP logs at level warning and above, as events. A handler of the kernel's logger.
-module(distlab_probe_log).

-export([install/1, remove/0]).
-export([log/2]).

-define(LONGEST_TEXT, 2_000).
%% A node that logs without end must not drown its own report.
-define(MOST_WAITING, 10_000).

%% Messages that name one of the peers are about it, others about this node.
-spec install([binary()]) -> ok.
install(Peers) ->
    ok = logger:add_handler(?MODULE, ?MODULE, #{
        level => warning,
        config => #{peers => Peers},
        formatter => {logger_formatter, #{template => [msg], single_line => false}}
    }).

-spec remove() -> ok.
remove() ->
    case logger:remove_handler(?MODULE) of
        ok -> ok;
        {error, {not_found, _}} -> ok
    end.

%% In the process that logs.
-spec log(logger:log_event(), logger:handler_config()) -> ok.
log(#{level := Level} = Event, #{config := #{peers := Peers}, formatter := {Formatter, Settings}}) ->
    case distlab_probe_events:backlog() > ?MOST_WAITING of
        true ->
            ok;
        false ->
            Text = string:trim(unicode:characters_to_binary(Formatter:format(Event, Settings))),
            Short = string:slice(Text, 0, ?LONGEST_TEXT),
            Fields = [{<<"level">>, atom_to_binary(Level)}, {<<"text">>, Short}],
            distlab_probe_events:record(<<"log">>, subject(Short, Peers), Fields)
    end.

subject(Text, Peers) ->
    case [Peer || Peer <- Peers, binary:match(Text, Peer) =/= nomatch] of
        [Peer | _] -> Peer;
        [] -> atom_to_binary(node())
    end.
