{application, distlab_bench, [
    {description, "Measures calls and throughput between two real nodes, by order of `distlab bench beam`"},
    {vsn, "1"},
    {modules, [
        distlab_bench,
        distlab_bench_calls,
        distlab_bench_echo,
        distlab_bench_flood
    ]},
    {registered, [distlab_bench, distlab_bench_echo, distlab_bench_sink]},
    {applications, [kernel, stdlib]}
]}.
