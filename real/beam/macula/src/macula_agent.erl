%% Where the agent is: named by DISTLAB_AGENT, or started here as a program whose life is bound to
%% this node's: it ends when its standard input does, which happens however this node ends.
-module(macula_agent).

-export([named/0, open/0, close/1]).
-export_type([agent/0]).

-type agent() :: #{address := macula_wire:address(), program := port() | none}.

-define(START_TIMEOUT, 10_000).
-define(LONGEST_LINE, 1_000).

%% Whether the environment names an agent, which then knows its relays.
-spec named() -> boolean().
named() ->
    os:getenv("DISTLAB_AGENT", "") =/= "".

%% The caller becomes the owner of the program, and gets its {exit_status, _}.
-spec open() ->
    {ok, agent()} | {error, {agent_not_found, string()} | {agent_failed, string()}}.
open() ->
    case os:getenv("DISTLAB_AGENT", "") of
        "" -> start(program());
        Text -> at(macula_wire:address(Text), Text)
    end.

at({ok, Address}, _Text) -> {ok, #{address => Address, program => none}};
at(error, Text) -> {error, {agent_not_found, "DISTLAB_AGENT is not HOST:PORT: " ++ Text}}.

%% Closes the standard input of a program of ours.
-spec close(agent()) -> ok.
close(#{program := none}) ->
    ok;
close(#{program := Program}) ->
    case erlang:port_info(Program, id) of
        undefined -> ok;
        _ -> close_port(Program)
    end.

%% It may have ended between the question and now.
close_port(Program) ->
    try port_close(Program) of
        true -> ok
    catch
        error:badarg -> ok
    end.

program() ->
    case os:getenv("DISTLAB_DAEMON", "") of
        "" -> os:find_executable("distlab-daemon", search_path());
        Path -> executable(Path)
    end.

executable(Path) ->
    case os:find_executable(filename:absname(Path)) of
        false -> {none, Path};
        Found -> Found
    end.

%% Beside this application in distlab's build tree, then the PATH.
search_path() ->
    Application = filename:dirname(filename:dirname(code:which(?MODULE))),
    Build = filename:join([Application, "..", "..", "..", "cli"]),
    Build ++ ":" ++ os:getenv("PATH", "").

start(false) ->
    Hint = "no distlab-daemon beside this application or in PATH; set DISTLAB_AGENT or DISTLAB_DAEMON",
    {error, {agent_not_found, Hint}};
start({none, Path}) ->
    {error, {agent_not_found, "DISTLAB_DAEMON is not a program: " ++ Path}};
start(Path) ->
    Options = [{args, ["agent", "--node", "macula", "--stdio", "--set", "log.level=warning"]}, {line, ?LONGEST_LINE}, exit_status, hide],
    try open_port({spawn_executable, Path}, Options) of
        Program -> first_line(Program, Path, deadline(), "")
    catch
        error:Reason -> {error, {agent_failed, Path ++ ": " ++ atom_to_list(Reason)}}
    end.

deadline() ->
    erlang:monotonic_time(millisecond) + ?START_TIMEOUT.

%% Other lines than the one awaited help to say why it did not come.
first_line(Program, Path, Deadline, Last) ->
    Left = max(0, Deadline - erlang:monotonic_time(millisecond)),
    receive
        {Program, {data, {eol, "listening " ++ Text}}} ->
            listening(macula_wire:address(Text), Text, Program, Path);
        {Program, {data, {_, Line}}} ->
            first_line(Program, Path, Deadline, Line);
        {Program, {exit_status, Status}} ->
            failed(Path, io_lib:format("exit status ~b ~ts", [Status, Last]))
    after Left ->
        close(#{address => {{127, 0, 0, 1}, 1}, program => Program}),
        failed(Path, io_lib:format("not listening after ~b ms ~ts", [?START_TIMEOUT, Last]))
    end.

listening({ok, Address}, _Text, Program, _Path) ->
    {ok, #{address => Address, program => Program}};
listening(error, Text, Program, Path) ->
    close(#{address => {{127, 0, 0, 1}, 1}, program => Program}),
    failed(Path, "listening at what is no address: " ++ Text).

failed(Path, Why) ->
    {error, {agent_failed, string:trim(lists:flatten([Path, ": ", Why]))}}.
