package main

import (
	"fmt"
	"strconv"
	"strings"
)

// reply is the answer to one command: what is published now, or why the command was not carried out.
type reply struct {
	OK       bool              `json:"ok"`
	Command  string            `json:"command"`
	Error    string            `json:"error,omitempty"`
	Versions map[string]string `json:"versions,omitempty"`
	Stats    *report           `json:"stats,omitempty"`
}

// answer carries out one line; quit says that it was the last.
func answer(line string, publisher *publisher, stats *stats) (answered reply, quit bool) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return reply{Error: "empty command"}, false
	}
	answered = reply{Command: words[0]}
	var err error
	switch command, arguments := words[0], words[1:]; {
	case command == "snapshot" && len(arguments) == 1:
		err = publisher.snapshot(arguments[0])
	case command == "weights" && len(arguments) == 2:
		err = publishWeights(publisher, arguments)
	case command == "backends" && len(arguments) == 1:
		err = publishBackends(publisher, arguments[0])
	case command == "bad" && len(arguments) == 0:
		err = publisher.weights(0, 0)
	case command == "stats" && len(arguments) == 0:
		answered.Stats = stats.report()
	case command == "quit" && len(arguments) == 0:
		quit = true
	default:
		err = fmt.Errorf("unknown command %q", line)
	}
	if err != nil {
		answered.Error = err.Error()
		return answered, false
	}
	answered.OK = true
	answered.Versions = publisher.versionsByType()
	return answered, quit
}

func publishWeights(publisher *publisher, arguments []string) error {
	v1, err := strconv.ParseUint(arguments[0], 10, 31)
	if err != nil {
		return fmt.Errorf("weight of v1: %w", err)
	}
	v2, err := strconv.ParseUint(arguments[1], 10, 31)
	if err != nil {
		return fmt.Errorf("weight of v2: %w", err)
	}
	return publisher.weights(uint32(v1), uint32(v2))
}

func publishBackends(publisher *publisher, argument string) error {
	endpoints, err := parseBackends(argument)
	if err != nil {
		return err
	}
	return publisher.backends(endpoints)
}
