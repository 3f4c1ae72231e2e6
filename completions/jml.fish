# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jml_global_optspecs
    string join \n config= sandbox o/output= q/quiet v/verbose color= no-color no-input h/help V/version
end

function __fish_jml_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_jml_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_jml_using_subcommand
    set -l cmd (__fish_jml_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c jml -n "__fish_jml_needs_command" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_needs_command" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_needs_command" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_needs_command" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_needs_command" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_needs_command" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_needs_command" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_needs_command" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_needs_command" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_needs_command" -f -a "joiner" -d 'Give a person who starts what policy says, and prove it'
complete -c jml -n "__fish_jml_needs_command" -f -a "mover" -d 'Move a person to what policy says of the present job: remove first, then add'
complete -c jml -n "__fish_jml_needs_command" -f -a "leaver" -d 'Take away everything a person can reach, in a safe order, and prove it'
complete -c jml -n "__fish_jml_needs_command" -f -a "sweep" -d 'Find everyone who is due to leave, move or start, and do it'
complete -c jml -n "__fish_jml_needs_command" -f -a "groups" -d 'The groups that policy names: list, make, export, compare'
complete -c jml -n "__fish_jml_needs_command" -f -a "audit" -d 'What was done, when, by whom: entry by entry, and whether the ledger is whole'
complete -c jml -n "__fish_jml_needs_command" -f -a "run" -d 'Runs: list, show, finish, restore, approve and apply what was held, lift an override, tick what a person did'
complete -c jml -n "__fish_jml_needs_command" -f -a "show" -d 'Show one person: HR, Okta and every app side by side, drift flagged'
complete -c jml -n "__fish_jml_needs_command" -f -a "doctor" -d 'Check scopes, rights, attribute mapping, groups, clocks and the ledger; changes nothing'
complete -c jml -n "__fish_jml_needs_command" -f -a "policy" -d 'What policy gives to whom, and what a new one would change'
complete -c jml -n "__fish_jml_needs_command" -f -a "link" -d 'Record that an account is this person\'s, or is not'
complete -c jml -n "__fish_jml_needs_command" -f -a "grant" -d 'Record an exception to policy: a group that somebody is given until a day, and loses then'
complete -c jml -n "__fish_jml_needs_command" -f -a "pause" -d 'Let nothing begin on any host for a while, but containment'
complete -c jml -n "__fish_jml_needs_command" -f -a "unpause" -d 'Lift a pause before it ends, as another operator than whoever paused'
complete -c jml -n "__fish_jml_needs_command" -f -a "config" -d 'The configuration file: write one, check it, print its schema'
complete -c jml -n "__fish_jml_needs_command" -f -a "sandbox" -d 'A pretend firm of 2,200 people on this machine, with a twin of every system'
complete -c jml -n "__fish_jml_needs_command" -f -a "help" -d 'Help on a command, or on a topic: exit-codes, environment'
complete -c jml -n "__fish_jml_using_subcommand joiner" -l from -d 'Create those who are missing in Okta from this HR file first' -r -F
complete -c jml -n "__fish_jml_using_subcommand joiner" -l save-plan -d 'Write the plan to a new file, as JSON' -r -F
complete -c jml -n "__fish_jml_using_subcommand joiner" -l expect -d 'Apply only if the plan is still this one, else exit 7' -r
complete -c jml -n "__fish_jml_using_subcommand joiner" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand joiner" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand joiner" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand joiner" -l activate -d 'Activate an account that is staged or provisioned'
complete -c jml -n "__fish_jml_using_subcommand joiner" -l rehire -d 'Someone who was here before: take them off the rules\' exclusion lists, and role groups of the former job first'
complete -c jml -n "__fish_jml_using_subcommand joiner" -s n -l dry-run -d 'Show the plan and change nothing; no write credential is read'
complete -c jml -n "__fish_jml_using_subcommand joiner" -s y -l yes -d 'Don\'t ask (a leaver still needs --confirm LOGIN)'
complete -c jml -n "__fish_jml_using_subcommand joiner" -l exit-code -d 'With --dry-run: exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand joiner" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand joiner" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand joiner" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand joiner" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand joiner" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand joiner" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand joiner" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand mover" -l save-plan -d 'Write the plan to a new file, as JSON' -r -F
complete -c jml -n "__fish_jml_using_subcommand mover" -l expect -d 'Apply only if the plan is still this one, else exit 7' -r
complete -c jml -n "__fish_jml_using_subcommand mover" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand mover" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand mover" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand mover" -s n -l dry-run -d 'Show the plan and change nothing; no write credential is read'
complete -c jml -n "__fish_jml_using_subcommand mover" -s y -l yes -d 'Don\'t ask (a leaver still needs --confirm LOGIN)'
complete -c jml -n "__fish_jml_using_subcommand mover" -l exit-code -d 'With --dry-run: exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand mover" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand mover" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand mover" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand mover" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand mover" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand mover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand mover" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand leaver" -l confirm -d 'Types the login for you, for that person only (repeat for more)' -r
complete -c jml -n "__fish_jml_using_subcommand leaver" -l reason -d 'Why, where HR does not say that the person has left' -r
complete -c jml -n "__fish_jml_using_subcommand leaver" -l ticket -d 'The ticket that asks for it, where HR does not say that the person has left' -r
complete -c jml -n "__fish_jml_using_subcommand leaver" -l transfer-to -d 'Who gets the person\'s files, against the manager chain' -r
complete -c jml -n "__fish_jml_using_subcommand leaver" -l save-plan -d 'Write the plan to a new file, as JSON' -r -F
complete -c jml -n "__fish_jml_using_subcommand leaver" -l expect -d 'Apply only if the plan is still this one, else exit 7' -r
complete -c jml -n "__fish_jml_using_subcommand leaver" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand leaver" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand leaver" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand leaver" -s n -l dry-run -d 'Show the plan and change nothing; no write credential is read'
complete -c jml -n "__fish_jml_using_subcommand leaver" -s y -l yes -d 'Don\'t ask (a leaver still needs --confirm LOGIN)'
complete -c jml -n "__fish_jml_using_subcommand leaver" -l exit-code -d 'With --dry-run: exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand leaver" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand leaver" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand leaver" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand leaver" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand leaver" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand leaver" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand leaver" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sweep" -l lane -d 'Only this lane (repeat for more); by default all but orphans, which reads every app and is meant for the night' -r -f -a "leavers\t''
movers\t''
joiners\t''
orphans\t'Accounts of people who left, in every app: reported, and nothing is changed'"
complete -c jml -n "__fish_jml_using_subcommand sweep" -l every -d 'Keep running, and sweep again so long after the last one began' -r
complete -c jml -n "__fish_jml_using_subcommand sweep" -l max-leavers -d 'A lower limit of leavers than the configuration\'s' -r
complete -c jml -n "__fish_jml_using_subcommand sweep" -l forecast -d 'List who will leave within this time, and change nothing' -r
complete -c jml -n "__fish_jml_using_subcommand sweep" -l save-plan -d 'Write the plan to a new file, as JSON' -r -F
complete -c jml -n "__fish_jml_using_subcommand sweep" -l expect -d 'Apply only if the plan is still this one, else exit 7' -r
complete -c jml -n "__fish_jml_using_subcommand sweep" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand sweep" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sweep" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sweep" -s n -l dry-run -d 'Show the plan and change nothing; no write credential is read'
complete -c jml -n "__fish_jml_using_subcommand sweep" -s y -l yes -d 'Don\'t ask (a leaver still needs --confirm LOGIN)'
complete -c jml -n "__fish_jml_using_subcommand sweep" -l exit-code -d 'With --dry-run: exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand sweep" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sweep" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sweep" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sweep" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sweep" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sweep" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sweep" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "list" -d 'List every group: managed or not, members, rules that fill it, apps that hang on it'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "plan" -d 'Show which groups policy needs and the tenant lacks'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "apply" -d 'Make the groups that policy needs'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "who" -d 'List who is in a group, and what put them there'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "rules" -d 'List group rules, the groups they fill and the apps behind those'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "export" -d 'Write every group, its members, rules and apps: a snapshot, or Terraform'
complete -c jml -n "__fish_jml_using_subcommand groups; and not __fish_seen_subcommand_from list plan apply who rules export diff" -f -a "diff" -d 'Compare the groups with a snapshot; exit 3 where they differ'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -l exit-code -d 'Exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from plan" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l save-plan -d 'Write the plan to a new file, as JSON' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l expect -d 'Apply only if the plan is still this one, else exit 7' -r
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s n -l dry-run -d 'Show the plan and change nothing; no write credential is read'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s y -l yes -d 'Don\'t ask (a leaver still needs --confirm LOGIN)'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l exit-code -d 'With --dry-run: exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from apply" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from who" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from rules" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -l format -d 'Form of the export' -r -f -a "json\t'The snapshot that `groups diff` reads'
terraform\t'Resources with import blocks'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from export" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand groups; and __fish_seen_subcommand_from diff" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "log" -d 'List ledger entries, the newest last'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "show" -d 'Show one run entry by entry'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "verify" -d 'Check the whole chain; exit 13 where it doesn\'t hold, naming the entry'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "sla" -d 'How long leavers took, from HR\'s record to the last access gone'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "drift" -d 'People whose Okta account differs from HR and policy'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "orphans" -d 'Accounts of people who left, and accounts of nobody'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "seats" -d 'Licences that people who left go on holding'
complete -c jml -n "__fish_jml_using_subcommand audit; and not __fish_seen_subcommand_from log show verify sla drift orphans seats posture" -f -a "posture" -d 'What the witnesses say of a person: risk, sign-ins after the end, privileges'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l since -d 'From this day or instant on' -r
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l run -d 'Of this run only' -r
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l person -d 'About this person only: login or Okta id' -r
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from log" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l checkpoint -d 'Hold the ledger against a checkpoint that was kept outside' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l mirror -d 'Hold it against what a mirror ([ledger] mirror) was told: its file, or an export of the syslog or journal' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from verify" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -l since -d 'From this day or instant on; the last 30 days by default' -r
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from sla" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from drift" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -l system -d 'This system only, as the configuration names it' -r
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from orphans" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from seats" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand audit; and __fish_seen_subcommand_from posture" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "list" -d 'List runs, the newest last'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "show" -d 'Print a run\'s closing report again; of a held plan, the plan'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "resume" -d 'Finish what a run left undone; asks nothing, for it was agreed'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "restore" -d 'Give back to a run\'s leavers what policy gives them today'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "approve" -d 'Sign for a held plan, so that somebody else may apply it'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "apply" -d 'Apply a held plan, as far as it is still true'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "lift" -d 'End an override: HR\'s word on its people counts again'
complete -c jml -n "__fish_jml_using_subcommand run; and not __fish_seen_subcommand_from list show resume restore approve apply lift tick" -f -a "tick" -d 'Say that a task for people is done, and by what it can be seen'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from resume" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l save-plan -d 'Write the plan to a new file, as JSON' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l expect -d 'Apply only if the plan is still this one, else exit 7' -r
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s n -l dry-run -d 'Show the plan and change nothing; no write credential is read'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s y -l yes -d 'Don\'t ask (a leaver still needs --confirm LOGIN)'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l exit-code -d 'With --dry-run: exit 3 where there is something to do'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from restore" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l key -d 'The private key to sign with, Ed25519 or ECDSA, without a passphrase; by default ~/.ssh/id_ed25519 or id_ecdsa' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l signature -d 'A signature by ssh-keygen over what --print wrote; that text lies beside it, under the same name without .sig' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l for -d 'How long it may be used; 24h at most' -r
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l print -d 'Write what is to be signed, and do nothing'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from approve" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -s y -l yes -d 'Don\'t ask'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from apply" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -l reason -d 'A sentence for the auditor: why it ends' -r
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from lift" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -l evidence -d 'A sentence for the auditor: by what it can be seen' -r
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand run; and __fish_seen_subcommand_from tick" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand show" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand show" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand show" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand show" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand show" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand show" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand show" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand show" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand show" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand doctor" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand doctor" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand doctor" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand doctor" -l write-monitor -d 'Write the monitor on the 15 minutes, where figures are sent: made once, mended, read back'
complete -c jml -n "__fish_jml_using_subcommand doctor" -s n -l dry-run -d 'With --write-monitor: show the monitor as it would be sent, and send nothing'
complete -c jml -n "__fish_jml_using_subcommand doctor" -s y -l yes -d 'With --write-monitor: don\'t ask'
complete -c jml -n "__fish_jml_using_subcommand doctor" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand doctor" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand doctor" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand doctor" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand doctor" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -f -a "diff" -d 'Show who would gain or lose what under another configuration\'s policy'
complete -c jml -n "__fish_jml_using_subcommand policy; and not __fish_seen_subcommand_from diff explain" -f -a "explain" -d 'Show which rule gives a person which group'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from diff" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand policy; and __fish_seen_subcommand_from explain" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand link" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand link" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand link" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand link" -l not -d 'The account is not theirs'
complete -c jml -n "__fish_jml_using_subcommand link" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand link" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand link" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand link" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand link" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand link" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand link" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand grant" -l until -d 'Its last day, where the person works, or an instant as in 2026-12-31T17:00:00Z; within a year' -r
complete -c jml -n "__fish_jml_using_subcommand grant" -l ticket -d 'The ticket that asks for it' -r
complete -c jml -n "__fish_jml_using_subcommand grant" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand grant" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand grant" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand grant" -l end -d 'End the exception now'
complete -c jml -n "__fish_jml_using_subcommand grant" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand grant" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand grant" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand grant" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand grant" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand grant" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand grant" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand pause" -l for -d 'How long, 4 h at most; given again it lengthens, and never shortens' -r
complete -c jml -n "__fish_jml_using_subcommand pause" -l reason -d 'A sentence for whoever is stopped by it' -r
complete -c jml -n "__fish_jml_using_subcommand pause" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand pause" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand pause" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand pause" -l all -d 'Containment too'
complete -c jml -n "__fish_jml_using_subcommand pause" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand pause" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand pause" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand pause" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand pause" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand pause" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand unpause" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand unpause" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand unpause" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand unpause" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand unpause" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand unpause" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand unpause" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand unpause" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand unpause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand unpause" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -f -a "init" -d 'Write a new configuration, pinned to one Okta organisation'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -f -a "check" -d 'Check the configuration; the first fault is shown at its line'
complete -c jml -n "__fish_jml_using_subcommand config; and not __fish_seen_subcommand_from init check schema" -f -a "schema" -d 'Print the JSON Schema of the configuration'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l okta-url -d 'The organisation\'s URL' -r -f
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l client-id -d 'Client id of the service app that jml is in Okta' -r
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l key -d 'Reference to its private key: file:PATH or command:[...]; never the key itself' -r
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l roster -d 'Where employment comes from: okta, csv, or another configured system' -r
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l zone -d 'Time zone in which a bare date ends, as in Europe/Berlin' -r
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from init" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -l output-schemas -d 'Of the documents that -o json writes instead'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand config; and __fish_seen_subcommand_from schema" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -f -a "tour" -d 'Play joiner, mover, leaver, a missed leaver and the audit, narrated, in under a minute'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -f -a "serve" -d 'Serve the firm in the foreground, for another jml or another program'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -f -a "reset" -d 'Make the firm anew; what was done to it is forgotten, its ledger too'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -f -a "people" -d 'List the cast: people made for a story'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and not __fish_seen_subcommand_from tour serve reset people journal" -f -a "journal" -d 'Print what the systems were asked, one request a line'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from tour" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l people -d 'How many people the firm has' -r
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l seed -d 'What the pretend people are made from' -r
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l world -d 'Load a firm from a file; it lives in memory alone' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l config -d 'Write a configuration that points at what is served' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l endpoints -d 'Write each system\'s address and token, for other clients' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l journal -d 'Append one line of JSON a request' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l fault -d 'Break something by name, as in okta:remove-member:ROLE-ENG@1:after=503 (repeat for more)' -r
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l latency -d 'Answer so much later' -r
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l rate -d 'Grant so many requests, as in okta:600/min (repeat for more)' -r
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from people" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand sandbox; and __fish_seen_subcommand_from journal" -s V -l version -d 'Print version'
complete -c jml -n "__fish_jml_using_subcommand help" -l config -d 'Configuration file, instead of /etc/jml/jml.toml or $XDG_CONFIG_HOME/jml/jml.toml' -r -F
complete -c jml -n "__fish_jml_using_subcommand help" -s o -l output -d 'Form of what is written to standard output' -r -f -a "human\t'Text for people'
json\t'One document at the end'
ndjson\t'One object a line, as things happen'
csv\t'Lists for a spreadsheet'"
complete -c jml -n "__fish_jml_using_subcommand help" -l color -d 'Colour, which only repeats what the words say' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jml -n "__fish_jml_using_subcommand help" -l sandbox -d 'Work on a pretend firm on this machine instead of any configured tenant'
complete -c jml -n "__fish_jml_using_subcommand help" -s q -l quiet -d 'Only what needs a person, and the result; twice: nothing but the exit code'
complete -c jml -n "__fish_jml_using_subcommand help" -s v -l verbose -d 'One line a call on standard error: system, method, route, status, time, request id'
complete -c jml -n "__fish_jml_using_subcommand help" -l no-color -d 'The same as --color never'
complete -c jml -n "__fish_jml_using_subcommand help" -l no-input -d 'Never ask; what needs an answer is refused, naming the flag'
complete -c jml -n "__fish_jml_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jml -n "__fish_jml_using_subcommand help" -s V -l version -d 'Print version'
