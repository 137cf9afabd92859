// The streams of a node that kwok plays. The protocols are the kubelet's own library; where a port of a pod
// leads to and what a command in a container comes to is asked of the process that has started the node.
// (kwok's own server, which could do the first too, loses the exit codes of commands.)
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remoteprotocols "k8s.io/apimachinery/pkg/util/remotecommand"
	terminal "k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	"k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	idleTimeout     = time.Hour
	creationTimeout = 30 * time.Second
)

type node struct {
	// Address to ask. Nobody else knows it: it may run commands.
	hooks string
}

// Asks a hook; an answer that refuses is an error with its text.
func (n node) ask(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.hooks+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(string(text))
	}
	return json.Unmarshal(text, answer)
}

func (n node) PortForward(ctx context.Context, pod string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	var local int
	if err := n.ask(ctx, "/forward", map[string]any{"pod": pod, "port": port}, &local); err != nil {
		return err
	}
	connection, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", local))
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		connection.Close()
	}()
	_, err = io.Copy(stream, connection)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (n node) ExecInContainer(ctx context.Context, pod string, _ types.UID, container string, command []string, _ io.Reader, out, errOut io.WriteCloser, _ bool, _ <-chan terminal.TerminalSize, _ time.Duration) error {
	var result struct {
		Stdout   string
		Stderr   string
		ExitCode int
	}
	question := map[string]any{"pod": pod, "container": container, "command": command}
	if err := n.ask(ctx, "/exec", question, &result); err != nil {
		return err
	}
	if err := write(out, result.Stdout); err != nil {
		return err
	}
	if err := write(errOut, result.Stderr); err != nil {
		return err
	}
	if result.ExitCode != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("exit status %d", result.ExitCode), Code: result.ExitCode}
	}
	return nil
}

// Who asks for a command without one of its outputs has no stream for it.
func write(stream io.Writer, text string) error {
	if stream == nil || text == "" {
		return nil
	}
	_, err := io.Copy(stream, strings.NewReader(text))
	return err
}

func main() {
	listen := flag.String("listen", "", "address to listen on")
	certificate := flag.String("certificate", "", "certificate of this server, and authority of its clients")
	key := flag.String("key", "", "key of the certificate")
	flag.Parse()

	authority, err := os.ReadFile(*certificate)
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)

	n := node{hooks: os.Getenv("HOOKS")}
	routes := http.NewServeMux()
	routes.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pod := r.PathValue("namespace") + "/" + r.PathValue("pod")
		portforward.ServePortForward(w, r, n, pod, "", options, idleTimeout, creationTimeout, portforward.SupportedProtocols)
	})
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pod := r.PathValue("namespace") + "/" + r.PathValue("pod")
		command := r.URL.Query()["command"]
		remotecommand.ServeExec(w, r, n, pod, "", r.PathValue("container"), command, options, idleTimeout, creationTimeout, remoteprotocols.SupportedStreamingProtocols)
	})
	server := &http.Server{
		Addr:    *listen,
		Handler: routes,
		// It runs commands: nobody but the API server may ask it. Streams need HTTP/1.1.
		TLSConfig:    &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	log.Fatal(server.ListenAndServeTLS(*certificate, *key))
}
