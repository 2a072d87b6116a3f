%% Erlang expressions of a scenario, evaluated in a process of their own.
-module(distlab_probe_eval).

-export([run/2]).

-define(LONGEST_VALUE, 1_000).

%% What came of it and the value, or what was raised, as ~0p prints it. The process that evaluates
%% dies with its caller, and when its time is over.
-spec run(binary(), timeout()) -> {Result :: binary(), Value :: binary()}.
run(Code, Timeout) ->
    case parse(unicode:characters_to_list(Code)) of
        {ok, Expressions} -> await(start(Expressions), Timeout);
        {error, Text} -> {<<"error">>, print("~ts", Text)}
    end.

parse(Code) when is_list(Code) ->
    case erl_scan:string(terminated(string:trim(Code))) of
        {ok, Tokens, _} -> parsed(erl_parse:parse_exprs(Tokens));
        {error, {_, Module, Reason}, _} -> {error, Module:format_error(Reason)}
    end;
parse(_NotUnicode) ->
    {error, "not UTF-8"}.

terminated(Code) ->
    case string:slice(Code, max(0, string:length(Code) - 1)) of
        "." -> Code;
        _ -> Code ++ " ."
    end.

parsed({ok, Expressions}) -> {ok, Expressions};
parsed({error, {_, Module, Reason}}) -> {error, Module:format_error(Reason)}.

start(Expressions) ->
    Caller = self(),
    Tag = make_ref(),
    {Pid, Monitor} = spawn_opt(fun() -> Caller ! {Tag, evaluate(Expressions)} end, [link, monitor]),
    {Pid, Monitor, Tag}.

%% Whatever is raised is the outcome.
evaluate(Expressions) ->
    try erl_eval:exprs(Expressions, erl_eval:new_bindings()) of
        {value, Value, _} -> {<<"ok">>, print("~0tp", Value)}
    catch
        Class:Reason -> {<<"error">>, print("~0tp", {Class, Reason})}
    end.

await({Pid, Monitor, Tag}, Timeout) ->
    process_flag(trap_exit, true),
    receive
        {Tag, Outcome} ->
            Outcome;
        {'DOWN', Monitor, process, Pid, Reason} ->
            {<<"error">>, print("~0tp", {exit, Reason})}
    after Timeout ->
        exit(Pid, kill),
        {<<"timeout">>, <<>>}
    end.

print(Format, Value) ->
    Text = io_lib:format(Format, [Value], [{chars_limit, ?LONGEST_VALUE}]),
    unicode:characters_to_binary(string:slice(Text, 0, ?LONGEST_VALUE)).
