%% Answers every call with what it was called with.
-module(distlab_bench_echo).
-behaviour(gen_server).

-export([start/0]).
-export([init/1, handle_call/3, handle_cast/2]).

-spec start() -> gen_server:start_ret().
start() ->
    gen_server:start({local, ?MODULE}, ?MODULE, [], []).

-spec init([]) -> {ok, undefined}.
init([]) ->
    {ok, undefined}.

-spec handle_call(term(), gen_server:from(), undefined) -> {reply, term(), undefined}.
handle_call(Request, _From, State) ->
    {reply, Request, State}.

-spec handle_cast(term(), undefined) -> {noreply, undefined}.
handle_cast(_Request, State) ->
    {noreply, State}.
