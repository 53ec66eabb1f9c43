# fish completion for trailguard(8). Trails, accounts and regions are those of the running daemon, from its status.json.

function __trailguard_status
    set -l directory /run/trailguard
    set -q RUNTIME_DIRECTORY; and set directory $RUNTIME_DIRECTORY
    test -r $directory/status.json; and cat $directory/status.json
end

function __trailguard_trails
    __trailguard_status | sed -nE 's/^[[{, ]*"name": ?"([A-Za-z0-9._-]+)".*/\1/p'
end

function __trailguard_accounts
    __trailguard_status | grep -oE '"account": ?"[0-9]{12}"' | tr -dc '0-9\n' | sort -u
end

function __trailguard_regions
    __trailguard_status | grep -oE '"region": ?"[a-z0-9-]+"' | sed -E 's/.*"([a-z0-9-]+)"$/\1/' | sort -u
end

set -l verbs run check config status test-alert accept drill release policy help
complete -c trailguard -f
complete -c trailguard -n "not __fish_seen_subcommand_from $verbs" -a "$verbs"
complete -c trailguard -n "not __fish_seen_subcommand_from $verbs" -l instance -x -d 'of trailguard@NAME.service'
complete -c trailguard -n "not __fish_seen_subcommand_from $verbs" -l version -d 'print the version'
complete -c trailguard -s c -l config -r -F -d 'configuration file'
complete -c trailguard -l help -d 'describe the verb'
complete -c trailguard -n '__fish_seen_subcommand_from help' -a 'run check config status test-alert accept drill release policy'
complete -c trailguard -n '__fish_seen_subcommand_from check status' -l json -d 'print a document'
complete -c trailguard -n '__fish_seen_subcommand_from check' -l restore -d 'act as the mode allows'
complete -c trailguard -n '__fish_seen_subcommand_from check' -l doctor -d 'what the daemon needs, and what is missing'
complete -c trailguard -n '__fish_seen_subcommand_from config' -l dump -d 'print every option'
complete -c trailguard -n '__fish_seen_subcommand_from status' -l problems -d 'only what is not well'
complete -c trailguard -n '__fish_seen_subcommand_from status' -l all -d 'every trail'
complete -c trailguard -n '__fish_seen_subcommand_from status' -l watch -d 'redraw every second'
complete -c trailguard -n '__fish_seen_subcommand_from status' -l account -x -d 'only this account' -a '(__trailguard_accounts)'
complete -c trailguard -n '__fish_seen_subcommand_from status' -l region -x -d 'only this region' -a '(__trailguard_regions)'
complete -c trailguard -n '__fish_seen_subcommand_from status' -l trail -x -d 'only this trail' -a '(__trailguard_trails)'
complete -c trailguard -n '__fish_seen_subcommand_from test-alert' -l channel -x -d 'only this channel'
complete -c trailguard -n '__fish_seen_subcommand_from accept drill' -l yes -d 'do not ask'
complete -c trailguard -n '__fish_seen_subcommand_from accept drill' -a '(__trailguard_trails)'
complete -c trailguard -n '__fish_seen_subcommand_from drill' -l profile -x -d 'the profile of an operator'
complete -c trailguard -n '__fish_seen_subcommand_from drill' -l tag -d 'add a tag, and stop nothing'
complete -c trailguard -n '__fish_seen_subcommand_from policy' -a 'guard deny scp'
complete -c trailguard -n '__fish_seen_subcommand_from policy' -l account -x -d 'deny: of this account alone' -a '(__trailguard_accounts)'
complete -c trailguard -n '__fish_seen_subcommand_from release' -l list -d 'who is contained'
complete -c trailguard -n '__fish_seen_subcommand_from release' -l account -x -d 'whose' -a '(__trailguard_accounts)'
