package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// secrets asks for what nobody else may see. Without a keyboard each is a line of standard
// input.
type secrets struct {
	ctx      context.Context
	lines    *bufio.Reader
	prompt   io.Writer
	keyboard bool
}

func newSecrets(ctx context.Context, in io.Reader, prompt io.Writer, keyboard bool) secrets {
	return secrets{ctx: ctx, lines: bufio.NewReader(in), prompt: prompt, keyboard: keyboard}
}

// ask returns an answer that is not shown while it is typed.
func (s secrets) ask(what string) (string, error) {
	if !s.keyboard {
		line, err := s.lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err != nil && line == "" {
			return "", fmt.Errorf("cannot read the %s: %w", what, err)
		}
		return line, nil
	}
	stdin := int(os.Stdin.Fd())
	before, err := term.GetState(stdin)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(s.prompt, "%s: ", what)
	typed := make(chan string, 1)
	go func() {
		line, _ := term.ReadPassword(stdin) // an empty line is refused as an error would be
		typed <- string(line)
	}()
	select {
	case line := <-typed:
		fmt.Fprintln(s.prompt)
		return line, nil
	case <-s.ctx.Done(): // Ctrl-C; the program ends
		return "", errors.Join(s.ctx.Err(), term.Restore(stdin, before))
	}
}

// passphrase asks for that of the wallet. A fresh one is typed twice.
func (s secrets) passphrase(fresh bool) ([]byte, error) {
	answer, err := s.ask("Passphrase")
	if err != nil || answer == "" {
		return nil, fmt.Errorf("%w", errPassphrase)
	}
	if fresh && s.keyboard {
		if again, err := s.ask("The same again"); err != nil || again != answer {
			return nil, fmt.Errorf("%w: the two are not the same", errPassphrase)
		}
	}
	return []byte(answer), nil
}
