%% Registered `sink`: answers {bulk, Binary} with {ok, Size} when it has all of it
%% (models/workload/ledger.h); other calls get no answer.
-module(distlab_probe_sink).
-behaviour(gen_server).

-export([start_link/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, sink}, ?MODULE, [], []).

-spec init([]) -> {ok, []}.
init([]) ->
    {ok, []}.

-spec handle_call(term(), gen_server:from(), []) -> {reply, term(), []} | {noreply, []}.
handle_call({bulk, Bytes}, _From, State) when is_binary(Bytes) ->
    {reply, {ok, byte_size(Bytes)}, State};
handle_call(_Request, _From, State) ->
    {noreply, State}.

-spec handle_cast(term(), []) -> {noreply, []}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), []) -> {noreply, []}.
handle_info(_Message, State) ->
    {noreply, State}.
