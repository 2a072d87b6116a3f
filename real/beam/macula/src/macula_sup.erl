%% Supervises the client. A client that crashed comes back outside the mesh: its control connection
%% went with it, and with that the membership.
-module(macula_sup).
-behaviour(supervisor).

-export([start_link/0]).
-export([init/1]).

-spec start_link() -> supervisor:startlink_ret().
start_link() ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, []).

-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    Client = #{id => macula_client, start => {macula_client, start_link, []}},
    {ok, {#{strategy => one_for_one, intensity => 3, period => 10}, [Client]}}.
