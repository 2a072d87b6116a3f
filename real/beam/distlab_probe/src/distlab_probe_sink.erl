%% Registered `sink`: answers the call {bulk, Binary} with {ok, Size} when it has all of it; whatever
%% else comes is dropped (models/workload/ledger.h).
-module(distlab_probe_sink).

-export([start_link/0]).
-export([init/1]).

-spec start_link() -> {ok, pid()}.
start_link() ->
    proc_lib:start_link(?MODULE, init, [self()]).

-spec init(pid()) -> no_return().
init(Parent) ->
    true = register(sink, self()),
    proc_lib:init_ack(Parent, {ok, self()}),
    loop().

loop() ->
    receive
        {'$gen_call', {Pid, _Tag} = From, {bulk, Bytes}} when is_pid(Pid), is_binary(Bytes) ->
            gen_server:reply(From, {ok, byte_size(Bytes)});
        _Other ->
            ok
    end,
    loop().
