%% A tunnel that a peer has opened: a connection to the agent is attached to it and given to the
%% acceptor of macula_dist. Each in a process of its own, as the agent may take its time.
-module(macula_incoming).

-export([attach/2]).

-include_lib("kernel/include/logger.hrl").

%% As long as the agent keeps the tunnel for us.
-define(ATTACH_TIMEOUT, 30_000).

%% The caller gets the 'DOWN' of the process.
-spec attach(macula_wire:address(), integer()) -> reference().
attach(Address, Id) ->
    {_, Monitor} = spawn_monitor(fun() -> attach_to(macula_dist:acceptor(), Address, Id) end),
    Monitor.

%% No acceptor: this node does not listen (-dist_listen false). The agent drops the tunnel.
attach_to(undefined, _Address, _Id) ->
    ok;
attach_to(Acceptor, Address, Id) ->
    case macula_wire:connect(Address, [list]) of
        {ok, Socket} ->
            hand_over(macula_wire:request(Socket, {attach, Id}, ?ATTACH_TIMEOUT), Socket, Acceptor);
        {error, {agent_unreachable, Where, Reason}} ->
            ?LOG_WARNING("macula: no connection to the agent at ~s for a tunnel: ~p", [Where, Reason])
    end.

hand_over(ok, Socket, Acceptor) ->
    % einval or not_owner: closed meanwhile, or the acceptor has gone; the socket ends with us then.
    case inet_tcp:controlling_process(Socket, Acceptor) of
        ok -> Acceptor ! {attached, Socket};
        {error, _} -> inet_tcp:close(Socket)
    end;
hand_over({error, Reason}, Socket, _Acceptor) ->
    inet_tcp:close(Socket),
    ?LOG_INFO("macula: a tunnel could not be attached: ~0p", [Reason]).
