"""Short scenarios for the grounds of real hosts: what they are about is what they are named after."""

TCP = """
name: tcp
duration: 4s
sites: { home: { uplink: { delay: 9ms } }, office: { uplink: { delay: 4ms } } }
nodes:
  alice: { site: home,   name: alice@home.example }
  bob:   { site: office, name: bob@office.example }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { from: 1s, call: alice -> bob, rate: 10/s, payload: 256B, to: 3500ms }
  - { from: 1s, send: alice <-> bob, rate: 10/s, payload: 100B, to: 3500ms }
expect:
  - connected: { between: [alice, bob], by: 3s }
  - never: { node_down: [alice, bob] }
  - lost_messages: { between: [alice, bob], equals: 0 }
"""
RELAY = """
name: relay
duration: 5s
sites: { home: { uplink: { delay: 9ms } }, office: { uplink: { delay: 4ms } }, hub: {} }
relays: { berlin: { site: hub, boot: 100ms } }
node_defaults: { carrier: relay, relays: [berlin], boot: 400ms }
nodes:
  alice: { site: home,   name: alice@home.example }
  bob:   { site: office, name: bob@office.example }
workload:
  - { at: 1500ms, connect: alice -> bob }
  - { from: 2500ms, call: alice -> bob, rate: 10/s, payload: 256B, to: 4500ms }
  - { from: 2500ms, send: alice <-> bob, rate: 10/s, payload: 100B, to: 4500ms }
expect:
  - connected: { between: [alice, bob], by: 4s }
  - lost_messages: { between: [alice, bob], equals: 0 }
"""
# All faults of processes that have a node on TCP. bob's tick time is too long to notice anything by itself.
NODE_FAULTS = """
name: node-faults
duration: 9s
sites: { here: {} }
node_defaults: { site: here, net_ticktime: 2s, boot: 100ms }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
  carol: { name: carol@c.example, autostart: false }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { at: 1750ms, connect: alice -> bob }
  - { at: 2700ms, connect: alice -> bob }
  - { at: 7500ms, connect: alice -> bob }
  - { at: 8500ms, connect: alice -> carol }
  - { from: 3s, send: alice <-> bob, rate: 10/s, to: 3400ms }
faults:
  - { at: 1500ms, kill: bob, for: 700ms }
  - { at: 3500ms, freeze: bob, for: 3500ms }
  - { at: 8s, start: carol }
"""
RELAY_FAULTS = """
name: relay-faults
duration: 10s
sites: { here: {} }
relays: { berlin: { site: here, boot: 100ms } }
node_defaults: { site: here, carrier: relay, relays: [berlin], net_ticktime: 60s, boot: 400ms }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
workload:
  - { at: 1s, connect: alice -> bob }
  - { from: 1600ms, send: alice -> bob, every: 200ms, to: 3s, payload: 64B }
  - { from: 6500ms, send: alice -> bob, every: 200ms, to: 8500ms, payload: 64B }
faults:
  - { at: 1500ms, tunnel_message: alice -> bob, harm: drop, nth: 2 }
  - { at: 1500ms, tunnel_message: alice -> bob, harm: duplicate, nth: 4 }
  - { at: 3s, kill_client: bob, for: 500ms }
  - { at: 7s, wedge: berlin, for: 500ms }
  - { at: 8700ms, shutdown: berlin, for: 300ms }
"""
RELAY_KILLED = """
name: relay-killed
duration: 8s
sites: { here: {} }
relays: { berlin: { site: here, boot: 100ms, keeps_reset_key: true } }
node_defaults: { site: here, carrier: relay, relays: [berlin], boot: 400ms, net_ticktime: 60s,
                 mesh: { keep_alive: 500ms } }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
workload:
  - { at: 1s, connect: alice -> bob }
faults:
  - { at: 2s, kill: berlin, for: 500ms }
"""
# What a link can suffer without a kernel's netem. Messages say what passed when.
LINK_FAULTS = """
name: link-faults
duration: 12s
sites: { home: {}, office: {}, third: {} }
node_defaults: { net_ticktime: 60s, boot: 100ms, connect_all: false }
nodes:
  alice: { site: home,   name: alice@a.example }
  bob:   { site: office, name: bob@b.example }
  carol: { site: third,  name: carol@c.example }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { at: 500ms, connect: alice -> carol }
  - { from: 1s, send: alice <-> bob, every: 50ms, to: 11s }
  - { from: 1s, send: alice -> carol, every: 50ms, to: 11s }
faults:
  - { at: 1500ms, down: home, for: 300ms }
  - { at: 3s, black_hole: alice, for: 300ms }
  - { at: 4500ms, one_way: home -> office, for: 300ms }
  - { at: 6s, hold: office, for: 300ms }
  - { at: 7500ms, partition: [[home], [office]], for: 300ms }
  - { at: 9s, down: bob, for: 300ms }
"""
SHAPE_FAULTS = """
name: shape-faults
duration: 9s
sites: { home: { uplink: { delay: 5ms } }, office: {} }
node_defaults: { net_ticktime: 60s, boot: 100ms }
nodes:
  alice: { site: home,   name: alice@a.example }
  bob:   { site: office, name: bob@b.example }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { from: 1s, call: alice -> bob, every: 50ms, to: 8s, payload: 1kB }
faults:
  - { at: 2s, delay: home, to: 50ms, for: 1s }
  - { at: 4s, rate: home, to: 100kbit/s, for: 1s }
  - { at: 6s, loss: home, to: 100%, for: 300ms }
"""
HARMS = "".join(f"""
  - {{ at: 1500ms, tunnel_message: {a} -> {b}, harm: {harm}, nth: 2 }}""" for a, b, harm in (
    ("n1", "n2", "drop"), ("n3", "n4", "duplicate"), ("n5", "n6", "replay"), ("n7", "n8", "swap"),
    ("n9", "n10", "corrupt")))
TUNNEL_HARMS = """
name: tunnel-harms
duration: 4s
sites: { here: {} }
relays: { berlin: { site: here, boot: 100ms } }
node_defaults: { site: here, carrier: relay, relays: [berlin], boot: 400ms, connect_all: false }
nodes: { "n{i}": { count: 10, name: "n{i}@n{i}.example" } }
workload:""" + "".join(f"""
  - {{ at: 1s, connect: n{i} -> n{i + 1} }}
  - {{ from: 1600ms, send: n{i} -> n{i + 1}, every: 200ms, to: 3s, payload: 64B }}""" for i in range(1, 10, 2)) + """
faults:""" + HARMS + "\n"
