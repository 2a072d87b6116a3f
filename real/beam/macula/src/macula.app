{application, macula, [
    {description, "Erlang distribution over a mesh of relays, through the distlab agent"},
    {vsn, "3.13.0"},
    {modules, [
        macula,
        macula_agent,
        macula_app,
        macula_client,
        macula_dist,
        macula_dist_relay,
        macula_incoming,
        macula_options,
        macula_sup,
        macula_wire
    ]},
    {registered, [macula_sup, macula_client]},
    {applications, [kernel, stdlib]},
    {mod, {macula_app, []}}
]}.
