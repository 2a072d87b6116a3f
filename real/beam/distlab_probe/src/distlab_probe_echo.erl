%% Registered `echo`: a call is answered with its request; casts and other messages are dropped
%% (models/process/servers.h). No gen_server, as those die of requests that are none.
-module(distlab_probe_echo).

-export([start_link/0]).
-export([init/1]).

-spec start_link() -> {ok, pid()}.
start_link() ->
    proc_lib:start_link(?MODULE, init, [self()]).

-spec init(pid()) -> no_return().
init(Parent) ->
    true = register(echo, self()),
    proc_lib:init_ack(Parent, {ok, self()}),
    loop().

loop() ->
    receive
        {'$gen_call', {Pid, _Tag} = From, Request} when is_pid(Pid) -> gen_server:reply(From, Request);
        _Other -> ok
    end,
    loop().
