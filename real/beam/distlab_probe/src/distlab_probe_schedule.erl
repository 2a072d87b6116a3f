%% When an action is due (models/workload/ticker.h). Times in nanoseconds since the run began.
%%
%% Periodic times do not drift. The emulator's timers are as fine as a millisecond, so what is
%% late by less than a stall is made up for, or fast rhythms would lose beats to the timer; what is
%% later, as after SIGSTOP, is left out.
-module(distlab_probe_schedule).

-export([first/2, next_at/1, due/2]).
-export_type([schedule/0]).

-type schedule() :: #{
    next := integer(),
    until := integer() | undefined,
    period := pos_integer() | undefined,
    arrival := periodic | poisson
}.

%% system_monitor's threshold too (distlab_probe_system).
-define(STALL_NS, 20_000_000).

%% Of an action of the plan, where now is when the workload begins.
-spec first(map(), integer()) -> {ok, schedule()} | never.
first(#{at := At} = Action, Now) ->
    Schedule = #{
        next => At,
        until => maps:get(until, Action, undefined),
        period => maps:get(period, Action, undefined),
        arrival => maps:get(arrival, Action, periodic)
    },
    still_to_come(from(Schedule, Now)).

from(#{next := At} = Schedule, Now) when At >= Now -> Schedule;
from(#{period := undefined}, _Now) -> never;
from(#{next := At, period := Period} = Schedule, Now) ->
    Schedule#{next := At + (Now - At + Period - 1) div Period * Period}.

still_to_come(never) -> never;
still_to_come(#{next := Next, until := Until}) when is_integer(Until), Next >= Until -> never;
still_to_come(Schedule) -> {ok, Schedule}.

-spec next_at(schedule()) -> integer().
next_at(#{next := Next}) ->
    Next.

%% Whether it is due now, and its schedule afterwards.
-spec due(schedule(), integer()) -> {boolean(), {ok, schedule()} | never}.
due(#{next := Next} = Schedule, Now) when Now < Next -> {false, {ok, Schedule}};
due(#{until := Until}, Now) when is_integer(Until), Now >= Until + ?STALL_NS -> {false, never};
due(#{period := undefined}, _Now) -> {true, never};
due(Schedule, Now) -> {true, still_to_come(following(Schedule, Now))}.

following(#{next := Next, period := Period, arrival := periodic} = Schedule, Now) ->
    case Now - (Next + Period) =< ?STALL_NS of
        true -> Schedule#{next := Next + Period};
        false -> Schedule#{next := Next + ((Now - Next) div Period + 1) * Period}
    end;
following(#{next := Next, period := Period, arrival := poisson} = Schedule, Now) ->
    From =
        case Now - Next =< ?STALL_NS of
            true -> Next;
            false -> Now
        end,
    % uniform_real/0 is never 0.
    Gap = max(1, round(-math:log(rand:uniform_real()) * Period)),
    Schedule#{next := From + Gap}.
